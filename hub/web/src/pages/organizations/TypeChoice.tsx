import { Check } from "../../forms/fields";
import { CERTIFICATE_TYPES, TYPE_LABELS } from "../administration/grants";
import type { FieldProps } from "../../forms/SchemaForm";

/** Types of certificate, by their names for people. */
export function TypeChoice({ value, onChange, error, label = "For certificates of type" }: FieldProps & { label?: string }) {
  const chosen = Array.isArray(value) ? (value as string[]) : [];
  return (
    <fieldset className="choices wide">
      <legend className="field-label">{label}</legend>
      {CERTIFICATE_TYPES.map((type) => (
        <Check
          key={type}
          label={TYPE_LABELS[type]}
          checked={chosen.includes(type)}
          onChange={(checked) => {
            onChange(CERTIFICATE_TYPES.filter((item) => (item === type ? checked : chosen.includes(item))));
          }}
        />
      ))}
      {error && <div className="field-error">{error}</div>}
    </fieldset>
  );
}
