/** What has been filled in so far, and the request that it makes. Ids are text while they are in the form. */

import type { AgentRow, Certificate, CertificateRequest, KeyType, Target } from "../../../api/types";
import { EMPTY_RENEWAL, type RenewalDraft, renewalBody, renewalDraft } from "../autoRenew";
import { EMPTY_SCHEDULE, type ScheduleDraft, scheduleBody, scheduleDraft } from "../schedule";
import type { Method } from "../vocabulary";

export interface Draft {
  method: Method;
  organizationId: string;
  departmentId: string;
  profileId: string;
  termDays: string;
  comments: string;
  externalRequester: string;
  csr: string;
  commonName: string;
  names: string;
  keyType: KeyType | "";
  keyLocation: "pks" | "target";
  pksAgentId: string;
  targets: readonly Target[];
  installation: CertificateRequest["installation"];
  schedule: ScheduleDraft;
  renewal: RenewalDraft;
  agreementAccepted: boolean;
  passphrase: string;
  passphraseAgain: string;
  customFields: Readonly<Record<string, string | number>>;
}

export const EMPTY_DRAFT: Draft = {
  method: "csr",
  organizationId: "",
  departmentId: "",
  profileId: "",
  termDays: "",
  comments: "",
  externalRequester: "",
  csr: "",
  commonName: "",
  names: "",
  keyType: "",
  keyLocation: "target",
  pksAgentId: "",
  targets: [],
  installation: "immediate",
  schedule: EMPTY_SCHEDULE,
  renewal: EMPTY_RENEWAL,
  agreementAccepted: false,
  passphrase: "",
  passphraseAgain: "",
  customFields: {},
};

/** Names may be separated by commas, blanks and line ends, as people paste them. */
export const splitNames = (text: string): string[] => [...new Set(text.split(/[\s,;]+/).filter(Boolean))];

export const usesPks = (draft: Draft): boolean =>
  draft.method === "pks" || (draft.method === "auto_install" && draft.keyLocation === "pks");

export function toRequest(draft: Draft): CertificateRequest {
  const byCsr = draft.method === "csr";
  const installs = draft.method === "auto_install";
  return {
    method: draft.method,
    organization_id: Number(draft.organizationId),
    department_id: draft.departmentId ? Number(draft.departmentId) : null,
    profile_id: Number(draft.profileId),
    term_days: Number(draft.termDays),
    common_name: draft.commonName.trim(),
    subject_alternative_names: splitNames(draft.names),
    csr: byCsr ? draft.csr : null,
    key_type: byCsr || draft.keyType === "" ? null : draft.keyType,
    pks_agent_id: usesPks(draft) ? draft.pksAgentId : null,
    key_location: draft.keyLocation,
    targets: installs ? [...draft.targets] : [],
    installation: installs ? draft.installation : "triggered",
    install_schedule: installs && draft.installation === "scheduled" ? scheduleBody(draft.schedule) : null,
    comments: draft.comments,
    external_requester: draft.externalRequester,
    auto_renew: renewalBody(draft.renewal),
    agreement_accepted: draft.agreementAccepted,
    passphrase: draft.passphrase || null,
    ...(Object.keys(draft.customFields).length > 0 ? { custom_fields: draft.customFields } : {}),
  };
}

/** A stored request as the form shows it. Agents come by their names in the hub's answer. */
export function draftOf(certificate: Certificate, stores: readonly AgentRow[]): Draft {
  const others = certificate.subject_alternative_names.filter((name) => name !== certificate.common_name);
  const byCsr = certificate.method === "csr";
  return {
    ...EMPTY_DRAFT,
    method: certificate.method as Method,
    organizationId: String(certificate.organization_id ?? ""),
    departmentId: String(certificate.department_id ?? ""),
    profileId: String(certificate.profile_id ?? ""),
    termDays: String(certificate.term_days),
    comments: certificate.comments,
    externalRequester: certificate.external_requester,
    csr: byCsr ? (certificate.csr ?? "") : "",
    commonName: certificate.common_name,
    names: others.join("\n"),
    keyType: byCsr ? "" : (certificate.key_type as KeyType | ""),
    keyLocation: certificate.private_key === "pks" ? "pks" : "target",
    pksAgentId: stores.find((agent) => agent.name === certificate.private_key_agent)?.id ?? "",
    targets: certificate.items.map(({ agent_id, server, node_id }) => ({ agent_id, server, node_id })),
    installation: (certificate.installation || "triggered") as Draft["installation"],
    schedule: scheduleDraft(certificate.install_schedule),
    renewal: renewalDraft(certificate.auto_renew),
    customFields: certificate.custom ?? {},
  };
}

/** The fields of the request that are not as they were: an edit names nothing else. */
export function changedFields(before: Draft, after: Draft): Record<string, unknown> {
  const old = toRequest(before);
  const fresh: Record<string, unknown> = { ...toRequest(after) };
  const changed = Object.entries(fresh).filter(
    // The owner's passphrase is set with the request alone.
    ([name, value]) => name !== "passphrase" && JSON.stringify(value) !== JSON.stringify((old as Record<string, unknown>)[name]),
  );
  return Object.fromEntries(changed);
}
