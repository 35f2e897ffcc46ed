/** The steps of each method, and which fields of the API belong to which step. */

import type { Method } from "../vocabulary";

export type StepId =
  | "method"
  | "details"
  | "csr"
  | "key"
  | "domains"
  | "nodes"
  | "installation"
  | "renewal"
  | "agreement"
  | "review";

export const STEP_LABELS: Readonly<Record<StepId, string>> = {
  method: "Method",
  details: "Details",
  csr: "CSR",
  key: "Private key",
  domains: "Domains",
  nodes: "Nodes and ports",
  installation: "Installation",
  renewal: "Renewal",
  agreement: "Agreement",
  review: "Review",
};

const STEPS: Readonly<Record<Method, readonly StepId[]>> = {
  csr: ["method", "details", "csr", "domains", "renewal"],
  pks: ["method", "details", "key", "domains", "renewal"],
  auto_install: ["method", "details", "key", "domains", "nodes", "installation", "renewal"],
};

/** `agreement`: the profile has one that was not accepted yet. */
export const stepsOf = (method: Method, agreement = false): readonly StepId[] =>
  agreement ? [...STEPS[method], "agreement", "review"] : [...STEPS[method], "review"];

const FIELD_STEPS: Readonly<Record<string, StepId>> = {
  method: "method",
  organization_id: "details",
  department_id: "details",
  profile_id: "details",
  term_days: "details",
  comments: "details",
  custom_fields: "details",
  external_requester: "details",
  csr: "csr",
  key_type: "key",
  pks_agent_id: "key",
  key_location: "key",
  common_name: "domains",
  names: "domains",
  subject_alternative_names: "domains",
  targets: "nodes",
  installation: "installation",
  install_schedule: "installation",
  auto_renew: "renewal",
  passphrase: "renewal",
  agreement_accepted: "agreement",
};

/** The step that shows an error of the hub, by its field such as `targets.0.server`. */
export function stepOfField(field: string, method: Method): StepId | undefined {
  const step = FIELD_STEPS[field.split(".")[0] ?? ""];
  return step && stepsOf(method, true).includes(step) ? step : undefined;
}
