/** Controls for ids that recur in the API's bodies. */

import { plainText } from "../components/plainText";
import type { FieldOverride, FieldProps } from "./SchemaForm";
import { AgentPicker, DepartmentPicker, OrganizationPicker } from "./pickers";
import { Select } from "./fields";
import { useIssuingBackends } from "../api/choices";

const toId = (value: string): number | null => (value === "" ? null : Number(value));

export const organizationField = (empty = "Choose…"): FieldOverride => ({
  render: ({ value, onChange, error, required }) => (
    <OrganizationPicker
      empty={empty}
      value={plainText(value)}
      onChange={(next) => {
        onChange(toId(next));
      }}
      error={error}
      required={required}
    />
  ),
});

export const departmentField = (organizationId: unknown): FieldOverride => ({
  render: ({ value, onChange, error }) => (
    <DepartmentPicker
      organizationId={plainText(organizationId)}
      value={plainText(value)}
      onChange={(next) => {
        onChange(toId(next));
      }}
      error={error}
    />
  ),
});

export const agentField = (kind: string): FieldOverride => ({
  render: ({ value, onChange, error, required }) => (
    <AgentPicker kind={kind} value={plainText(value)} onChange={onChange} error={error} required={required} />
  ),
});

function BackendPicker({ value, onChange, error, required }: FieldProps) {
  const { data = [] } = useIssuingBackends();
  return (
    <Select
      label="CA backend"
      empty="Choose…"
      value={plainText(value)}
      onChange={(next) => {
        onChange(toId(next));
      }}
      options={data.map((backend) => ({ value: String(backend.id), label: backend.name }))}
      error={error}
      required={required}
    />
  );
}

export const backendField: FieldOverride = { render: (props) => <BackendPicker {...props} /> };
