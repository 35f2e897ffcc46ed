/** Selects over what the hub has. Values are ids as text; empty means none. */

import type { ReactNode } from "react";

import { useAgents, useDepartments, useOrganizations, useProfiles } from "../api/choices";
import { Select } from "./fields";

interface PickerProps {
  value: string;
  onChange: (value: string) => void;
  label?: string;
  error?: string | undefined;
  required?: boolean;
  hint?: ReactNode;
  disabled?: boolean;
}

export function OrganizationPicker({ label = "Organization", empty = "Choose…", ...rest }: PickerProps & { empty?: string }) {
  const { data = [] } = useOrganizations();
  const options = data
    .filter((item) => item.status === "active" || String(item.id) === rest.value)
    .map((item) => ({ value: String(item.id), label: item.name }));
  return <Select label={label} empty={empty} options={options} {...rest} />;
}

export function DepartmentPicker({ organizationId, ...rest }: PickerProps & { organizationId: string }) {
  const { data = [] } = useDepartments(organizationId ? Number(organizationId) : null);
  const options = data.map((item) => ({ value: String(item.id), label: item.name }));
  return <Select label="Department" empty={options.length > 0 ? "Any" : "None"} options={options} {...rest} />;
}

export function ProfilePicker({ organizationId, ...rest }: PickerProps & { organizationId: string }) {
  const { data = [] } = useProfiles();
  const offered = data.filter(
    (profile) =>
      profile.status === "active" &&
      (profile.organization_ids === null || profile.organization_ids.includes(Number(organizationId))),
  );
  const options = offered.map((item) => ({ value: String(item.id), label: item.name }));
  return <Select label="Certificate profile" empty="Choose…" options={options} {...rest} />;
}

interface AgentPickerProps extends PickerProps {
  kind: string;
  /** Only those that serve this organization. */
  organizationId?: string;
}

export function AgentPicker({ kind, organizationId, ...rest }: AgentPickerProps) {
  const { data = [] } = useAgents(kind);
  const usable = data.filter(
    (agent) => !organizationId || agent.organization_id === null || String(agent.organization_id) === organizationId,
  );
  const options = usable.map((agent) => ({
    value: agent.id,
    label: agent.connected ? agent.name : `${agent.name} (not connected)`,
  }));
  return <Select label="Agent" empty="Choose…" options={options} {...rest} />;
}
