import { Select } from "../../forms/fields";
import type { FieldProps } from "../../forms/SchemaForm";

export const SUBJECT_LABELS: Readonly<Record<string, string>> = {
  common_name: "Common name",
  organization: "Organization",
  organizational_unit: "Organizational unit",
  locality: "Locality",
  state: "State or province",
  country: "Country",
  email: "E-mail",
};

export const SOURCE_LABELS: Readonly<Record<string, string>> = {
  organization: "Organization",
  request: "Request",
  omit: "Left out",
};

const HINTS: Readonly<Record<string, string>> = {
  organizational_unit: "The department's name.",
};

const FROM_ORGANIZATION = new Set(["organization", "locality", "state", "country"]);
/** The hub has no value of an organization for these. */
const OF_THE_REQUEST = new Set(["common_name", "email"]);

/** What the hub takes where a profile says nothing. */
export function defaultSource(attribute: string, isDomainOnly: boolean): string {
  if (attribute === "common_name") return "request";
  return FROM_ORGANIZATION.has(attribute) && !isDomainOnly ? "organization" : "omit";
}

export function ProfileSubjectFields({ value, onChange, error, isDomainOnly }: FieldProps & { isDomainOnly: boolean }) {
  const policy = (value ?? {}) as Readonly<Record<string, string>>;
  const given = value !== null && value !== undefined;
  const sourceOf = (attribute: string) => policy[attribute] ?? defaultSource(attribute, !given && isDomainOnly);
  const whole = () => Object.fromEntries(Object.keys(SUBJECT_LABELS).map((name) => [name, sourceOf(name)]));
  return (
    <>
      {Object.entries(SUBJECT_LABELS).map(([attribute, label]) => (
        <Select
          key={attribute}
          label={label}
          hint={HINTS[attribute]}
          value={sourceOf(attribute)}
          onChange={(source) => {
            onChange({ ...whole(), [attribute]: source });
          }}
          options={Object.entries(SOURCE_LABELS)
            .filter(([source]) => source !== "organization" || !OF_THE_REQUEST.has(attribute))
            .map(([source, words]) => ({ value: source, label: words }))}
        />
      ))}
      {error && <div className="field-error wide">{error}</div>}
    </>
  );
}
