/** What has been filled in so far, and the request that it makes. Ids are text while they are in the form. */

import type { CertificateRequest, KeyType, Target } from "../../../api/types";
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
  installation: "triggered" | "immediate";
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
    comments: draft.comments,
    external_requester: draft.externalRequester,
    auto_renew: null,
    ...(Object.keys(draft.customFields).length > 0 ? { custom_fields: draft.customFields } : {}),
  };
}
