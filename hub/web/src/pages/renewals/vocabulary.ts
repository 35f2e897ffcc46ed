/** Words of this area. */

import type { Tone } from "../../components/Badge";
import type { ChainLink } from "./types";

export const LINK_TONES: Readonly<Record<ChainLink["state"], Tone>> = { ok: "ok", at_risk: "warn", broken: "bad" };

export const LINK_LABELS: Readonly<Record<ChainLink["state"], string>> = {
  ok: "OK",
  at_risk: "At risk",
  broken: "Broken",
};

export const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

export const RENEWAL_STATES = ["Scheduled", "Started", "Failed"] as const;

const DAY_HOURS = 24;

/** "5 hours", "12 days": hours as long as they count, days beyond. Negative: since when there is an outage. */
export function hoursText(hours: number): string {
  const size = Math.abs(hours);
  const [count, unit] = size < 3 * DAY_HOURS ? [Math.floor(size), "hour"] : [Math.floor(size / DAY_HOURS), "day"];
  const text = `${count.toLocaleString("en")} ${unit}${count === 1 ? "" : "s"}`;
  return hours < 0 ? `out for ${text}` : text;
}

export const hoursTone = (hours: number): "bad" | "warn" | "" => {
  if (hours < 3 * DAY_HOURS) return "bad";
  return hours < 14 * DAY_HOURS ? "warn" : "";
};

/** "Mon, Tue", or "every day". */
export function weekdaysText(days: readonly number[]): string {
  if (days.length === WEEKDAYS.length) return "every day";
  return days.map((day) => WEEKDAYS[day]?.slice(0, 3) ?? "").join(", ");
}

export const TERMS = [
  { id: "current", label: "As it is" },
  { id: "200", label: "200 days" },
  { id: "100", label: "100 days" },
  { id: "47", label: "47 days" },
] as const;

export type TermId = (typeof TERMS)[number]["id"];

/** What the browser knows of IANA's time zones, with UTC first. */
export const TIME_ZONES: readonly string[] = [
  "UTC",
  ...Intl.supportedValuesOf("timeZone").filter((name) => name !== "UTC"),
];

export const OWN_TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
