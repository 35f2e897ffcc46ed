import { useDepartments, useOrganizations } from "../../api/choices";
import { useSession } from "../../api/session";
import type { Grant } from "../../api/types";
import { Button } from "../../components/Button";
import { Check, Select } from "../../forms/fields";
import {
  departmentsWithin,
  newGrant,
  organizationsWithin,
  type Role,
  ROLE_LABELS,
  rolesWithin,
  TYPE_LABELS,
  typesWithin,
} from "./grants";

interface EditorProps {
  grant: Grant;
  number: number;
  onChange: (grant: Grant) => void;
  onRemove: (() => void) | null;
}

interface Named {
  id: number;
  name: string;
}

const options = (items: readonly Named[] | undefined, only: ReadonlySet<number> | null) =>
  (items ?? [])
    .filter((item) => only === null || only.has(item.id))
    .map((item) => ({ value: String(item.id), label: item.name }));

const idOf = (value: string): number | null => (value === "" ? null : Number(value));

function TypeChecks({ grant, onChange }: { grant: Grant; onChange: (grant: Grant) => void }) {
  const { grants } = useSession();
  const offered = typesWithin(grants, grant);
  if (grant.organization_id === null) return null;
  return (
    <fieldset className="choices">
      <legend className="field-label">For certificates of type</legend>
      {offered.map((type) => (
        <Check
          key={type}
          label={TYPE_LABELS[type]}
          checked={grant.certificate_types.includes(type)}
          onChange={(checked) => {
            const chosen = offered.filter((item) => (item === type ? checked : grant.certificate_types.includes(item)));
            onChange({ ...grant, certificate_types: chosen });
          }}
        />
      ))}
    </fieldset>
  );
}

function GrantEditor({ grant, number, onChange, onRemove }: EditorProps) {
  const { grants: own } = useSession();
  const organizations = useOrganizations();
  const departments = useDepartments(grant.role === "DRAO" ? grant.organization_id : null);
  const place = (organization: number | null, department: number | null, role: Role = grant.role) => {
    const moved = { ...grant, role, organization_id: organization, department_id: department };
    const types = typesWithin(own, moved);
    const kept = grant.certificate_types.filter((type) => types.includes(type));
    onChange({ ...moved, certificate_types: role === "MRAO" ? [] : kept.length > 0 ? kept : types.slice(0, 1) });
  };
  return (
    <div className="grant" role="group" aria-label={`Role ${number}`}>
      <Select
        label="Role"
        value={grant.role}
        options={rolesWithin(own).map((role) => ({ value: role, label: ROLE_LABELS[role] }))}
        onChange={(role) => {
          place(role === "MRAO" ? null : grant.organization_id, null, role as Role);
        }}
      />
      {grant.role === "MRAO" ? (
        <span />
      ) : (
        <Select
          label="Organization"
          required
          empty="Choose…"
          value={String(grant.organization_id ?? "")}
          options={options(organizations.data, organizationsWithin(own, grant.role))}
          onChange={(value) => {
            place(idOf(value), null);
          }}
        />
      )}
      {grant.role === "DRAO" ? (
        <Select
          label="Department"
          required
          empty="Choose…"
          value={String(grant.department_id ?? "")}
          options={options(
            departments.data,
            grant.organization_id === null ? null : departmentsWithin(own, grant.organization_id),
          )}
          onChange={(value) => {
            place(grant.organization_id, idOf(value));
          }}
        />
      ) : (
        <span />
      )}
      {onRemove ? <Button icon="trash" variant="quiet" aria-label={`Remove role ${number}`} onClick={onRemove} /> : <span />}
      {grant.role !== "MRAO" && <TypeChecks grant={grant} onChange={onChange} />}
    </div>
  );
}

/** Several roles of one administrator; each choice holds only what one may give away. */
export function GrantsEditor({ grants, onChange }: { grants: readonly Grant[]; onChange: (grants: Grant[]) => void }) {
  const { grants: own } = useSession();
  return (
    <div className="stack-s">
      {grants.map((grant, index) => (
        <GrantEditor
          // Roles have no identity of their own; their place in the list is it.
          key={index}
          grant={grant}
          number={index + 1}
          onChange={(changed) => {
            onChange(grants.map((item, at) => (at === index ? changed : item)));
          }}
          onRemove={
            grants.length > 1
              ? () => {
                  onChange(grants.filter((_, at) => at !== index));
                }
              : null
          }
        />
      ))}
      <div className="row">
        <Button
          small
          icon="plus"
          onClick={() => {
            onChange([...grants, newGrant(own)]);
          }}
        >
          Add role
        </Button>
      </div>
    </div>
  );
}
