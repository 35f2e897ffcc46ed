import { useDepartments, useOrganizations } from "../../api/choices";
import type { Grant } from "../../api/types";
import { TYPE_LABELS, typesOf } from "./grants";

function Place({ grant }: { grant: Grant }) {
  const organizations = useOrganizations();
  const departments = useDepartments(grant.department_id === null ? null : grant.organization_id);
  if (grant.organization_id === null) return <>All organizations</>;
  const organization = organizations.data?.find((item) => item.id === grant.organization_id);
  const department = departments.data?.find((item) => item.id === grant.department_id);
  return (
    <>
      {organization?.name ?? `Organization ${grant.organization_id}`}
      {grant.department_id !== null && ` · ${department?.name ?? `department ${grant.department_id}`}`}
    </>
  );
}

/** Roles in words: which, where, and for which types of certificate. */
export function GrantList({ grants }: { grants: readonly Grant[] }) {
  return (
    <ul className="grant-list">
      {grants.map((grant) => (
        <li key={JSON.stringify(grant)}>
          <div>
            <strong>{grant.role}</strong> <Place grant={grant} />
          </div>
          <span className="tags">
            {typesOf(grant).map((type) => (
              <span key={type} className="tag">
                {TYPE_LABELS[type] ?? type}
              </span>
            ))}
          </span>
        </li>
      ))}
    </ul>
  );
}
