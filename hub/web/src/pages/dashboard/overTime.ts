/** Figures over time as columns of a chart. */

import type { Dashboard } from "../../api/types";
import type { ColumnValue } from "./Columns";
import { listOf, number } from "./figures";

const LIST = "/certificates/ssl";
const IN_USE = "status:in:Issued,Downloaded,External,Unmanaged";
const DAY_MS = 86_400_000;
const DAYS_A_TICK = 15;

const month = new Intl.DateTimeFormat("en", { month: "short", timeZone: "UTC" });
const day = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" });

export const monthColumns = (figures: Dashboard): ColumnValue[] =>
  figures.months.map((item) => ({
    key: item.month,
    tick: month.format(new Date(`${item.month}-15T00:00:00Z`)),
    text: `${item.month}: ${number(item.requested)} requested, ${number(item.issued)} issued`,
    values: [item.requested, item.issued],
    to: listOf(LIST, item.filters, "-requested"),
  }));

export const dayColumns = (figures: Dashboard): ColumnValue[] =>
  figures.expiring_by_day.map((item, index) => {
    const start = new Date(`${item.day}T00:00:00Z`);
    const end = new Date(start.getTime() + DAY_MS);
    const range = [`expires:ge:${start.toISOString()}`, `expires:lt:${end.toISOString()}`, IN_USE];
    return {
      key: item.day,
      tick: index % DAYS_A_TICK === 0 ? day.format(start) : "",
      text: `${item.day}: ${number(item.count)} expire`,
      values: [item.count],
      to: item.count > 0 ? listOf(LIST, range, "expires") : undefined,
    };
  });

/** Expiring within so many days, of this hub and of others. */
export const windowColumns = (figures: Dashboard): ColumnValue[] =>
  figures.expiring.map((item) => ({
    key: String(item.days),
    tick: `${item.days} d`,
    text: `Within ${item.days} days: ${number(item.managed)} of this hub, ${number(item.other)} of others`,
    values: [item.managed, item.other],
    to: listOf(LIST, item.filters, "expires"),
  }));
