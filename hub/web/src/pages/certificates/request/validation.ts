/**
 * What can be told without the hub: forgotten fields and names that can't be right. The hub has the last word;
 * it knows delegations, policies and the CSR itself.
 */

import type { Profile } from "../../../api/types";
import { renewalErrors } from "../autoRenew";
import { scheduleFault } from "../schedule";
import { type Draft, splitNames, usesPks } from "./draft";
import type { StepId } from "./steps";

export type Errors = Readonly<Record<string, string>>;

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const IPV6 = /^[0-9a-f:]+(?:\d+\.\d+\.\d+\.\d+)?$/i;
const MAX_COMMON_NAME = 64;

export const isAddress = (name: string): boolean => {
  const parts = IPV4.exec(name);
  if (parts) return parts.slice(1).every((part) => Number(part) <= 255);
  return name.includes(":") && IPV6.test(name);
};

/** Why a name can't be in a certificate, or nothing. Names in other scripts are the hub's to judge. */
export function nameFault(name: string): string | undefined {
  if (/^[a-z]+:\/\//i.test(name)) return "is an address of a page; give the host name only";
  if (name.includes("*") && !/^\*\.[^*]+$/.test(name)) return "may have a wildcard only as its whole first part";
  if (isAddress(name)) return undefined;
  if (/^[\d.]+$/.test(name)) return "is no IP address";
  if (/[^\u0020-\u007e]/.test(name)) return undefined;
  const labels = name.replace(/^\*\./, "").replace(/\.$/, "").split(".");
  return labels.every((label) => LABEL.test(label)) ? undefined : "is no host name";
}

function nameErrors(draft: Draft, profile: Profile | undefined): Errors {
  const errors: Record<string, string> = {};
  const common = draft.commonName.trim();
  const names = splitNames(draft.names);
  if (!common && draft.method !== "csr") errors.common_name = "Enter the name that the certificate is for.";
  const fault = common ? nameFault(common) : undefined;
  if (fault) errors.common_name = `${common} ${fault}.`;
  else if (common.length > MAX_COMMON_NAME) errors.common_name = `At most ${MAX_COMMON_NAME} characters.`;
  const faulty = names.filter((name) => nameFault(name) !== undefined);
  const all = [...new Set([common, ...names].filter(Boolean))];
  if (faulty.length > 0) {
    errors.subject_alternative_names = faulty.map((name) => `${name} ${nameFault(name) ?? ""}.`).join(" ");
  } else if (profile) {
    const broken = brokenRule(all, profile);
    if (broken) errors.subject_alternative_names = broken;
  }
  return errors;
}

function brokenRule(names: readonly string[], profile: Profile): string | undefined {
  const wild = names.filter((name) => name.startsWith("*."));
  if (profile.san_rule === "single" && names.length > 1) return "This profile takes one name only.";
  if (profile.san_rule === "single" || profile.san_rule === "multi") {
    if (wild.length > 0) return "This profile takes no wildcard names.";
  }
  if (profile.san_rule === "wildcard" && names.length > 0 && wild.length !== 1) {
    return "This profile takes one wildcard name such as *.example.com.";
  }
  if (names.length > 0 && names.length < profile.min_names) return `This profile takes at least ${profile.min_names} names.`;
  if (names.length > profile.max_names) return `This profile takes at most ${profile.max_names} names.`;
  return undefined;
}

function detailErrors(draft: Draft): Errors {
  const errors: Record<string, string> = {};
  if (!draft.organizationId) errors.organization_id = "Choose the organization that the certificate is for.";
  if (!draft.profileId) errors.profile_id = "Choose a profile.";
  else if (!draft.termDays) errors.term_days = "Choose a term.";
  return errors;
}

function keyErrors(draft: Draft): Errors {
  const errors: Record<string, string> = {};
  if (!draft.keyType) errors.key_type = "Choose a key type.";
  if (usesPks(draft) && !draft.pksAgentId) errors.pks_agent_id = "Choose the private key store that makes the key.";
  return errors;
}

function csrErrors(draft: Draft): Errors {
  const text = draft.csr.trim();
  if (!text) return { csr: "Paste the CSR or open its file." };
  if (text.includes("PRIVATE KEY")) {
    return { csr: "This holds a private key. Never send it anywhere; paste the CERTIFICATE REQUEST only." };
  }
  if (!/-----BEGIN (NEW )?CERTIFICATE REQUEST-----[\s\S]+-----END/.test(text)) {
    return { csr: "This is no CSR in PEM: it begins with -----BEGIN CERTIFICATE REQUEST-----." };
  }
  return {};
}

const MIN_PASSPHRASE = 8;

function renewalStepErrors(draft: Draft): Errors {
  const errors: Record<string, string> = renewalErrors(draft.renewal, Number(draft.termDays));
  if (draft.passphrase && draft.passphrase.length < MIN_PASSPHRASE) {
    errors.passphrase = `At least ${MIN_PASSPHRASE} characters.`;
  } else if (draft.passphrase !== draft.passphraseAgain) {
    errors.passphrase_again = "The two are not the same.";
  }
  return errors;
}

/** Errors of one step by the API's field names; empty when one may go on. */
export function stepErrors(step: StepId, draft: Draft, profile: Profile | undefined): Errors {
  switch (step) {
    case "details":
      return detailErrors(draft);
    case "csr":
      return csrErrors(draft);
    case "key":
      return keyErrors(draft);
    case "domains":
      return nameErrors(draft, profile);
    case "nodes":
      return draft.targets.length > 0 ? {} : { targets: "Choose at least one node." };
    case "installation": {
      const fault = draft.installation === "scheduled" ? scheduleFault(draft.schedule) : undefined;
      return fault ? { install_schedule: fault } : {};
    }
    case "renewal":
      return renewalStepErrors(draft);
    case "agreement":
      return draft.agreementAccepted ? {} : { agreement_accepted: "Read the agreement and accept it." };
    default:
      return {};
  }
}
