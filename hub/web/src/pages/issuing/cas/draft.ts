/** The wizard's choices, what is missing in them, and what the hub is sent. */

import type { CaTemplate, PrivateCaFields } from "../../../api/types";

export const STEPS = ["basic", "template", "signature", "subject", "confirmation"] as const;
export type StepId = (typeof STEPS)[number];

export const STEP_LABELS: Readonly<Record<StepId, string>> = {
  basic: "Basic info",
  template: "Template",
  signature: "Signature algorithm",
  subject: "CA subject",
  confirmation: "Confirmation",
};

/** `self`, `external`, or the id of a root. */
export const SELF = "self";
export const EXTERNAL = "external";

export interface CaDraft {
  name: string;
  parent: string;
  keyStore: "software" | "hsm";
  template: string;
  days: string;
  hash: "" | "SHA-256" | "SHA-384" | "SHA-512";
  organization: string;
  commonName: string;
  locality: string;
  state: string;
  country: string;
  permitted: string;
  pathLength: string;
  trial: boolean;
}

export const EMPTY: CaDraft = {
  name: "",
  parent: SELF,
  keyStore: "software",
  template: "",
  days: "",
  hash: "",
  organization: "",
  commonName: "",
  locality: "",
  state: "",
  country: "",
  permitted: "",
  pathLength: "",
  trial: false,
};

export type Errors = Partial<Record<string, string>>;

export const roleOf = (draft: CaDraft): CaTemplate["role"] => (draft.parent === SELF ? "root" : "issuing");

export function commonNameOf(draft: CaDraft): string {
  if (draft.commonName.trim()) return draft.commonName.trim();
  return `${draft.organization.trim()} ${roleOf(draft) === "root" ? "Root CA" : "Issuing CA"}`.trim();
}

const wholeNumber = (text: string) => /^\d*$/.test(text.trim());

export function stepErrors(step: StepId, draft: CaDraft): Errors {
  switch (step) {
    case "basic":
      return draft.name.trim() ? {} : { name: "Give the CA a name." };
    case "template":
      return {
        ...(draft.template ? {} : { template: "Choose a template." }),
        ...(wholeNumber(draft.days) ? {} : { days: "Write a number of days, or nothing." }),
      };
    case "subject":
      return {
        ...(draft.organization.trim() || draft.commonName.trim() ? {} : { "subject.organization": "Write who the CA belongs to." }),
        ...(/^([A-Za-z]{2})?$/.test(draft.country.trim()) ? {} : { "subject.country": "Write the two letters of the country, such as DE." }),
        ...(wholeNumber(draft.pathLength) ? {} : { path_length: "Write a number, or nothing." }),
      };
    default:
      return {};
  }
}

const FIELDS: Readonly<Record<string, StepId>> = {
  name: "basic",
  parent_id: "basic",
  key_store: "basic",
  trial: "basic",
  template: "template",
  days: "template",
  signature_hash: "signature",
};

/** The step that a complaint of the hub is about. */
export const stepOfField = (field: string): StepId => FIELDS[field] ?? "subject";

/** What is left out the hub fills in. */
type Sent = Omit<PrivateCaFields, "excluded_dns" | "excluded_networks" | "policies">;

export function toBody(draft: CaDraft): Sent {
  const names = draft.permitted.split(/[\s,;]+/).filter(Boolean);
  const networks = names.filter((name) => name.includes("/"));
  return {
    name: draft.name.trim(),
    parent_id: draft.parent === SELF || draft.parent === EXTERNAL ? null : Number(draft.parent),
    external: draft.parent === EXTERNAL,
    template: draft.template,
    key_store: draft.keyStore,
    signature_hash: draft.hash,
    days: Number(draft.days || 0),
    subject: {
      common_name: draft.commonName.trim(),
      organization: draft.organization.trim(),
      locality: draft.locality.trim(),
      state: draft.state.trim(),
      country: draft.country.trim().toUpperCase(),
    },
    path_length: draft.pathLength.trim() ? Number(draft.pathLength) : null,
    permitted_dns: names.filter((name) => !name.includes("/")),
    permitted_networks: networks,
    trial: draft.trial && draft.parent !== EXTERNAL,
  };
}
