/** Words of notifications. */

import type { Digest, RuleRow } from "./types";

export const RECIPIENTS: Readonly<Record<string, string>> = {
  requester: "Requester",
  external_requesters: "External requesters",
  owner: "Owner",
  MRAO: "MRAO administrators",
  RAO: "RAO administrators",
  DRAO: "DRAO administrators",
};

export const STATES = ["Queued", "Sending", "Sent", "Failed", "Uncertain", "Suppressed"] as const;

export const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

export const EVERY: Readonly<Record<Digest["every"], string>> = {
  none: "At once",
  hourly: "Once an hour",
  daily: "Once a day",
  weekly: "Once a week",
};

export const CERTIFICATE_TYPES: Readonly<Record<string, string>> = {
  ssl: "SSL",
  client: "Client",
  code_signing: "Code signing",
  device: "Device",
};

/** Who a rule tells, in a few words. */
export function recipientsText(row: Pick<RuleRow, "recipients" | "channel_ids">): string {
  const { roles = [], addresses = [], ...people } = row.recipients;
  const names = [
    ...Object.entries(people)
      .filter(([, chosen]) => chosen)
      .map(([name]) => RECIPIENTS[name] ?? name),
    ...roles,
    ...addresses,
  ];
  if (row.channel_ids.length > 0) names.push(row.channel_ids.length === 1 ? "1 channel" : `${row.channel_ids.length} channels`);
  return names.join(", ");
}

/** When a rule's messages go out. */
export function digestText(digest: RuleRow["digest"]): string {
  const { every, hour, weekday, time_zone } = digest;
  if (every === "none" || every === "hourly") return EVERY[every];
  const day = every === "weekly" ? `${WEEKDAYS[weekday] ?? ""} ` : "";
  return `${EVERY[every]}: ${day}${String(hour).padStart(2, "0")}:00 ${time_zone}`;
}

/** "30, 14, 7" as numbers; null when it is something else. */
export function parseDays(text: string): number[] | null {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  return parts.every((part) => /^\d{1,3}$/.test(part)) ? parts.map(Number) : null;
}
