/** From a number a day to the bars and rows that people look at. */

import type { Forecast } from "./types";

export const DAYS_A_WEEK = 7;
const DAY_MS = 86_400_000;

export interface Bar {
  /** First day, as ISO text. */
  from: string;
  /** What each CA renews, in the order of the forecast. */
  parts: number[];
  total: number;
  /** What must be renewed beyond the quotas. */
  excess: number;
}

export const dayAfter = (iso: string, days: number): string =>
  new Date(new Date(`${iso}T00:00:00Z`).getTime() + days * DAY_MS).toISOString().slice(0, 10);

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Bars of so many days each; the last one may be shorter. */
export function barsOf(forecast: Forecast, daysEach: number): Bar[] {
  const bars: Bar[] = [];
  for (let day = 0; day < forecast.days; day += daysEach) {
    const parts = forecast.backends.map((backend) => sum(backend.renewals.slice(day, day + daysEach)));
    const excess = sum(forecast.backends.map((backend) => sum(backend.excess.slice(day, day + daysEach))));
    bars.push({ from: dayAfter(forecast.begins, day), parts, total: sum(parts), excess });
  }
  return bars;
}

export interface MonthRow {
  month: string;
  total: number;
  parts: number[];
  busiest: number;
  validations: number;
}

/** Months of the calendar with their renewals, the busiest day, and validations of domains. */
export function monthsOf(forecast: Forecast): MonthRow[] {
  const rows = new Map<string, MonthRow>();
  for (let day = 0; day < forecast.days; day += 1) {
    const month = dayAfter(forecast.begins, day).slice(0, 7);
    const row = rows.get(month) ?? { month, total: 0, parts: forecast.backends.map(() => 0), busiest: 0, validations: 0 };
    const parts = forecast.backends.map((backend) => backend.renewals[day] ?? 0);
    row.parts = row.parts.map((count, index) => count + (parts[index] ?? 0));
    row.total += sum(parts);
    row.busiest = Math.max(row.busiest, sum(parts));
    row.validations += forecast.validations.validations[day] ?? 0;
    rows.set(month, row);
  }
  return [...rows.values()];
}

/** The quota a bar is compared with: that of all CAs, if each has one. */
export function quotaOfBar(forecast: Forecast, daysEach: number): number | null {
  const limits = forecast.backends.filter((backend) => sum(backend.renewals) > 0).map((backend) => backend.quota.a_day);
  if (limits.length === 0 || limits.some((limit) => limit === null)) return null;
  return sum(limits.map((limit) => limit ?? 0)) * daysEach;
}

/** The next of 1, 2, 5, 10, 20, ... that is not below a number: a scale's end. */
export function niceAbove(value: number): number {
  if (value <= 5) return 5;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? 10 * power;
}
