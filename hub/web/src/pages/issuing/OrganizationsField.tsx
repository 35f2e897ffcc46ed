import { useOrganizations } from "../../api/choices";
import { Check, Field } from "../../forms/fields";
import type { FieldProps } from "../../forms/SchemaForm";

/** All organizations, those that come later too, or some. */
export function OrganizationsField({ value, onChange, error }: FieldProps) {
  const { data = [] } = useOrganizations();
  const chosen = Array.isArray(value) ? (value as number[]) : null;
  return (
    <Field label="Organizations" wide error={error}>
      {() => (
        <div className="stack-s">
          <Check
            label="All, those that come later too"
            checked={chosen === null}
            onChange={(all) => {
              onChange(all ? null : data.map((organization) => organization.id));
            }}
          />
          {chosen !== null && (
            <div className="choices">
              {data.map((organization) => (
                <Check
                  key={organization.id}
                  label={organization.name}
                  checked={chosen.includes(organization.id)}
                  onChange={(checked) => {
                    const kept = chosen.filter((id) => id !== organization.id);
                    onChange(checked ? [...kept, organization.id] : kept);
                  }}
                />
              ))}
            </div>
          )}
        </div>
      )}
    </Field>
  );
}
