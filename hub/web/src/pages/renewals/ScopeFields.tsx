import type { Problem } from "../../api/problem";
import { useSession } from "../../api/session";
import { useAgents, useProfiles } from "../../api/choices";
import { Select, TextField } from "../../forms/fields";
import { DepartmentPicker, OrganizationPicker } from "../../forms/pickers";

export interface ScopeDraft {
  organization: string;
  department: string;
  profile: string;
  agent: string;
  servers: string;
}

export const EMPTY_SCOPE: ScopeDraft = { organization: "", department: "", profile: "", agent: "", servers: "" };

interface Scoped {
  organization_id: number | null;
  department_id: number | null;
  profile_id: number | null;
  agent_id: string | null;
  server_pattern: string;
}

const text = (value: number | null): string => (value === null ? "" : String(value));
const id = (value: string): number | null => (value === "" ? null : Number(value));

export const draftOfScope = (entry: Scoped): ScopeDraft => ({
  organization: text(entry.organization_id),
  department: text(entry.department_id),
  profile: text(entry.profile_id),
  agent: entry.agent_id ?? "",
  servers: entry.server_pattern,
});

export const scopeBody = (draft: ScopeDraft): Scoped => ({
  organization_id: id(draft.organization),
  department_id: id(draft.department),
  profile_id: id(draft.profile),
  agent_id: draft.agent || null,
  server_pattern: draft.servers.trim(),
});

interface Props {
  draft: ScopeDraft;
  onChange: (draft: ScopeDraft) => void;
  problem: Problem | null;
}

/** For whom an entry of the calendar is: everything that is left empty narrows nothing. */
export function ScopeFields({ draft, onChange, problem }: Props) {
  const isMaster = useSession().grants.some((grant) => grant.role === "MRAO");
  const profiles = useProfiles().data ?? [];
  const agents = useAgents().data ?? [];
  const set = (change: Partial<ScopeDraft>) => {
    onChange({ ...draft, ...change });
  };
  return (
    <>
      <OrganizationPicker
        empty={isMaster ? "All organizations" : "Choose…"}
        required={!isMaster}
        value={draft.organization}
        onChange={(organization) => {
          set({ organization, department: "" });
        }}
        error={problem?.of("organization_id")}
      />
      <DepartmentPicker
        organizationId={draft.organization}
        disabled={draft.organization === ""}
        value={draft.department}
        onChange={(department) => {
          set({ department });
        }}
        error={problem?.of("department_id")}
      />
      <Select
        label="Certificate profile"
        empty="Any"
        options={profiles.map((profile) => ({ value: String(profile.id), label: profile.name }))}
        value={draft.profile}
        onChange={(profile) => {
          set({ profile });
        }}
        error={problem?.of("profile_id")}
      />
      <Select
        label="Agent"
        empty="Any"
        options={agents.map((agent) => ({ value: agent.id, label: agent.name }))}
        value={draft.agent}
        onChange={(agent) => {
          set({ agent });
        }}
        error={problem?.of("agent_id")}
      />
      <TextField
        label="Servers"
        wide
        value={draft.servers}
        onChange={(servers) => {
          set({ servers });
        }}
        placeholder="shop-*"
        hint="Names of agents, hosts or servers, with * and ?. Empty: any."
        error={problem?.of("server_pattern")}
      />
    </>
  );
}
