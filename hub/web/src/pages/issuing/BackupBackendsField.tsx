import { useBackends } from "../../api/choices";
import { Check, Field } from "../../forms/fields";
import type { FieldProps } from "../../forms/SchemaForm";

/** Other CAs for when the first is away, in the order in which they are ticked. */
export function BackupBackendsField({ value, onChange, error, own }: FieldProps & { own: unknown }) {
  const { data = [] } = useBackends();
  const chosen = Array.isArray(value) ? (value as number[]) : [];
  return (
    <Field
      label="CA backends in its place"
      hint="Taken in the order in which you tick them, when the first can't be had and has no order yet."
      wide
      error={error}
    >
      {() => (
        <div className="choices">
          {data
            .filter((backend) => backend.id !== own)
            .map((backend) => (
              <Check
                key={backend.id}
                label={chosen.includes(backend.id) ? `${chosen.indexOf(backend.id) + 1}. ${backend.name}` : backend.name}
                checked={chosen.includes(backend.id)}
                onChange={(checked) => {
                  const kept = chosen.filter((id) => id !== backend.id);
                  onChange(checked ? [...kept, backend.id] : kept);
                }}
              />
            ))}
        </div>
      )}
    </Field>
  );
}
