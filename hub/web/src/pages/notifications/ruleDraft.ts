/** A rule as its form holds it, and back to what the API takes. */

import type { Digest, NotificationType, Recipients, RuleRow } from "./types";
import { parseDays } from "./vocabulary";

export interface Draft {
  name: string;
  type: string;
  enabled: boolean;
  organization: string;
  department: string;
  certificateTypes: string[];
  profiles: string[];
  days: string;
  minutes: string;
  /** "requester", "external_requesters", "owner", and roles. */
  people: string[];
  addresses: string;
  email: boolean;
  console: boolean;
  channels: string[];
  digest: Digest;
}

const FLAGS = ["requester", "external_requesters", "owner"] as const;
const NO_DIGEST: Digest = { every: "none", hour: 8, weekday: 0, time_zone: "UTC" };

export function draftOf(rule: RuleRow | undefined): Draft {
  const recipients: Partial<Recipients> = rule?.recipients ?? {};
  return {
    name: rule?.name ?? "",
    type: rule?.type ?? "",
    enabled: rule?.enabled ?? true,
    organization: String(rule?.organization_id ?? ""),
    department: String(rule?.department_id ?? ""),
    certificateTypes: rule?.certificate_types ?? [],
    profiles: (rule?.profile_ids ?? []).map(String),
    days: (rule?.days ?? []).join(", "),
    minutes: rule?.minutes ? String(rule.minutes) : "",
    people: [...FLAGS.filter((name) => recipients[name]), ...(recipients.roles ?? [])],
    addresses: (recipients.addresses ?? []).join("\n"),
    email: rule?.email ?? true,
    console: rule?.console ?? true,
    channels: (rule?.channel_ids ?? []).map(String),
    digest: { ...NO_DIGEST, ...rule?.digest },
  };
}

const idOf = (text: string): number | null => (text === "" ? null : Number(text));

export function bodyOf(draft: Draft, kind: NotificationType | undefined) {
  const ofCertificates = kind?.object_type === "certificate";
  return {
    name: draft.name.trim(),
    type: draft.type,
    enabled: draft.enabled,
    organization_id: idOf(draft.organization),
    department_id: idOf(draft.department),
    certificate_types: ofCertificates ? draft.certificateTypes : [],
    profile_ids: ofCertificates ? draft.profiles.map(Number) : [],
    // What is no list of numbers goes as it is, so that the hub says what is wrong.
    days: kind?.timing === "before" ? (parseDays(draft.days) ?? [draft.days]) : [],
    minutes: kind?.timing === "after" ? Number(draft.minutes) : 0,
    recipients: {
      ...Object.fromEntries(FLAGS.map((name) => [name, draft.people.includes(name)])),
      roles: draft.people.filter((name) => !(FLAGS as readonly string[]).includes(name)),
      addresses: draft.addresses.split(/[\s,;]+/).filter(Boolean),
    },
    email: draft.email,
    console: draft.console,
    channel_ids: draft.channels.map(Number),
    digest: draft.digest,
  };
}
