/** When an installation may begin, as it is filled in and as the hub stores it. */

import type { InstallSchedule } from "./types";

export interface ScheduleDraft {
  timeZone: string;
  /** As a field of date and time has it: local time of the zone, or empty. */
  notBefore: string;
  hourFrom: number;
  hourTo: number;
  /** 0: Monday. None: every day. */
  weekdays: readonly number[];
}

export const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export const TIME_ZONES: readonly string[] = [
  "UTC",
  ...Intl.supportedValuesOf("timeZone").filter((name) => name !== "UTC"),
];

export const EMPTY_SCHEDULE: ScheduleDraft = { timeZone: ZONE, notBefore: "", hourFrom: 22, hourTo: 4, weekdays: [] };

const HOURS = 24;

export const hourText = (hour: number): string => `${String(hour).padStart(2, "0")}:00`;

/** A moment as the clocks of a zone show it, for a field of date and time. */
export function wallTime(moment: string, timeZone: string): string {
  // Without an offset it is the zone's own time already.
  if (!/(Z|[+-]\d\d:\d\d)$/.test(moment)) return moment.slice(0, 16);
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  return parts.format(new Date(moment)).replace(" ", "T");
}

export function scheduleBody(draft: ScheduleDraft): InstallSchedule {
  return {
    time_zone: draft.timeZone,
    not_before: draft.notBefore || null,
    hour_from: draft.hourFrom,
    hour_to: draft.hourTo,
    weekdays: [...draft.weekdays].sort(),
  };
}

/** What a certificate's schedule looks like in the form; `stored` is the hub's document. */
export function scheduleDraft(stored: Record<string, unknown> | null): ScheduleDraft {
  if (!stored) return EMPTY_SCHEDULE;
  const schedule = stored as unknown as InstallSchedule;
  return {
    timeZone: schedule.time_zone,
    notBefore: schedule.not_before ? wallTime(schedule.not_before, schedule.time_zone) : "",
    hourFrom: schedule.hour_from,
    hourTo: schedule.hour_to,
    weekdays: schedule.weekdays ?? [],
  };
}

function daysText(days: readonly number[]): string {
  if (days.length === 0 || days.length === WEEKDAYS.length) return "every day";
  return [...days].sort().map((day) => WEEKDAYS[day] ?? "").join(", ");
}

function hoursText({ hourFrom, hourTo }: ScheduleDraft): string {
  if (hourFrom === 0 && hourTo === HOURS) return "at any hour";
  return `${hourText(hourFrom)} to ${hourText(hourTo)}${hourTo < hourFrom ? " of the next day" : ""}`;
}

/** "Saturday, Sunday, 22:00 to 04:00 of the next day, Europe/Berlin". */
export function scheduleText(draft: ScheduleDraft): string {
  const from = draft.notBefore ? `, not before ${draft.notBefore.replace("T", " ")}` : "";
  return `${daysText(draft.weekdays)}, ${hoursText(draft)}, ${draft.timeZone}${from}`;
}

/** Why a schedule can't work, or nothing; the hub has the last word. */
export function scheduleFault(draft: ScheduleDraft): string | undefined {
  return draft.hourFrom === draft.hourTo ? "It ends when it begins: it would never open." : undefined;
}
