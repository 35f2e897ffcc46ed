/** Whether and when a certificate renews itself, as it is filled in and as the hub stores it. */

import type { Profile } from "../../api/types";
import type { AutoRenew } from "./types";

export interface RenewalDraft {
  /** `profile`: the profile decides about everything. */
  mode: "profile" | "on" | "off";
  due: "profile" | "days" | "share";
  days: string;
  /** In percent. */
  share: string;
  keyPair: "profile" | "new" | "same";
}

export const EMPTY_RENEWAL: RenewalDraft = { mode: "profile", due: "profile", days: "30", share: "67", keyPair: "profile" };

const MAX_DAYS = 365;
const PERCENT = 100;

const keyOf = { profile: null, new: true, same: false } as const;

/** Null: as the profile says. */
export function renewalBody(draft: RenewalDraft): AutoRenew | null {
  if (draft.mode === "profile") return null;
  const on = draft.mode === "on";
  return {
    enabled: on,
    days_before: on && draft.due === "days" ? Number(draft.days) : null,
    share: on && draft.due === "share" ? Number(draft.share) / PERCENT : null,
    new_key_pair: on ? keyOf[draft.keyPair] : null,
  };
}

/** What a certificate's settings look like in the form; `stored` is the hub's document. */
export function renewalDraft(stored: Record<string, unknown> | null): RenewalDraft {
  if (!stored) return EMPTY_RENEWAL;
  const { enabled, days_before, share, new_key_pair } = stored as Partial<AutoRenew>;
  return {
    mode: enabled ? "on" : "off",
    due: days_before ? "days" : share ? "share" : "profile",
    days: String(days_before ?? EMPTY_RENEWAL.days),
    share: share ? String(Math.round(share * PERCENT)) : EMPTY_RENEWAL.share,
    keyPair: new_key_pair === true ? "new" : new_key_pair === false ? "same" : "profile",
  };
}

/** Faults by the API's fields; `termDays` 0: not known. */
export function renewalErrors(draft: RenewalDraft, termDays = 0): Record<string, string> {
  if (draft.mode !== "on") return {};
  const days = Number(draft.days);
  if (draft.due === "days" && !(Number.isInteger(days) && days >= 1 && days <= MAX_DAYS)) {
    return { "auto_renew.days_before": `Enter days, from 1 to ${MAX_DAYS}.` };
  }
  if (draft.due === "days" && termDays > 0 && days >= termDays) {
    return { "auto_renew.days_before": `It lives only ${termDays} days: it would be due before it begins.` };
  }
  const share = Number(draft.share);
  if (draft.due === "share" && !(share >= 1 && share < PERCENT)) return { "auto_renew.share": "Enter a share from 1 to 99 percent." };
  return {};
}

const dueText = (days: number | null, share: number | null) =>
  days ? `${days} days before it expires` : `when ${Math.round((share ?? 0) * PERCENT)} % of its lifetime are over`;

const keyText = (fresh: boolean) => (fresh ? "with a new key pair" : "with the same key pair");

/** "when 67 % of its lifetime are over, with a new key pair": what a profile does with those that say nothing. */
export function profileWords(profile: Profile): string {
  const { renewal } = profile;
  const how = `${dueText(renewal.days_before, renewal.share)}, ${keyText(renewal.new_key_pair)}`;
  return renewal.enabled ? `it renews itself ${how}` : "it is renewed by hand";
}

/** What was filled in, in words. */
export function renewalWords(draft: RenewalDraft, profile: Profile | undefined): string {
  if (draft.mode === "profile") return profile ? `As the profile says: ${profileWords(profile)}` : "As the profile says";
  if (draft.mode === "off") return "By hand";
  const due = {
    profile: "when the profile says",
    days: dueText(Number(draft.days), null),
    share: dueText(null, Number(draft.share) / PERCENT),
  }[draft.due];
  const key = draft.keyPair === "profile" ? "" : `, ${keyText(draft.keyPair === "new")}`;
  return `By itself, ${due}${key}`;
}
