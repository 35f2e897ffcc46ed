import type { Problem } from "../api/problem";
import { plainText } from "../components/plainText";
import { Check, Select, TextArea, TextField } from "./fields";
import { type JsonSchema, labelOf, type Resolve, shapeOf, type Values } from "./jsonSchema";
import { type FieldOverride, type FieldProps, SchemaForm } from "./SchemaForm";

interface Props extends FieldProps {
  name: string;
  schema: JsonSchema;
  resolve: Resolve;
  override: FieldOverride;
  problem: Problem | null;
  path: string;
}

const LONG_TEXT = 1000;

const linesOf = (value: unknown): string => (Array.isArray(value) ? value.join("\n") : "");

function ChoicesField(props: { label: string; choices: readonly string[]; value: unknown; onChange: (value: unknown) => void; error: string | undefined }) {
  const chosen = Array.isArray(props.value) ? (props.value as string[]) : [];
  return (
    <fieldset className="choices wide">
      <legend className="field-label">{props.label}</legend>
      {props.choices.map((choice) => (
        <Check
          key={choice}
          label={choice}
          checked={chosen.includes(choice)}
          onChange={(checked) => {
            props.onChange(props.choices.filter((item) => (item === choice ? checked : chosen.includes(item))));
          }}
        />
      ))}
      {props.error && <div className="field-error">{props.error}</div>}
    </fieldset>
  );
}

/** One field of a schema, in the control that suits its type. */
export function SchemaField(props: Props) {
  const { name, value, onChange, error, required, override, resolve } = props;
  const { kind, schema, nullable, choices } = shapeOf(props.schema, resolve);
  const label = override.label ?? labelOf(name, schema);
  const hint = override.hint ?? schema.description?.replaceAll("`", "");
  const shared = { label, hint, error, required, wide: override.wide };
  const text = (next: string) => {
    onChange(next === "" && nullable ? null : next);
  };
  switch (kind) {
    case "check":
      return (
        <div className="wide">
          <Check label={label} hint={hint} checked={value === true} onChange={onChange} />
        </div>
      );
    case "choice": {
      const options = choices.map((choice) => ({ value: choice, label: override.choices?.[choice] ?? choice }));
      const empty = nullable || !required || value === undefined ? "Choose…" : undefined;
      return <Select {...shared} value={plainText(value)} onChange={text} options={options} empty={empty} />;
    }
    case "choices":
      return <ChoicesField label={label} choices={choices} value={value} onChange={onChange} error={error} />;
    case "number":
      return (
        <TextField
          {...shared}
          type="number"
          min={schema.minimum}
          max={schema.maximum}
          value={plainText(value)}
          onChange={(next) => {
            onChange(next === "" ? (nullable ? null : undefined) : Number(next));
          }}
        />
      );
    case "numbers":
      return (
        <TextField
          {...shared}
          hint={hint ?? "Numbers, separated by commas."}
          value={Array.isArray(value) ? value.join(", ") : plainText(value)}
          onChange={(next) => {
            // While something is typed that is no number yet, the text stays as it is.
            const parts = next.split(",").map((part) => part.trim());
            onChange(parts.every((part) => /^\d+$/.test(part)) ? parts.map(Number) : next);
          }}
        />
      );
    case "lines":
      return (
        <TextArea
          {...shared}
          hint={hint ?? "One a line."}
          value={linesOf(value)}
          onChange={(next) => {
            onChange(next === "" ? [] : next.split("\n"));
          }}
        />
      );
    case "group":
      return (
        <fieldset className="wide">
          <legend className="field-label">{label}</legend>
          <SchemaForm
            schema={schema}
            resolve={resolve}
            values={(value ?? {}) as Values}
            onChange={onChange}
            problem={props.problem}
            path={`${props.path}${name}.`}
          />
        </fieldset>
      );
    case "password":
      return <TextField {...shared} type="password" autoComplete="off" value={plainText(value)} onChange={text} />;
    case "text":
      if ((schema.maxLength ?? 0) >= LONG_TEXT) {
        return <TextArea {...shared} wide rows={3} value={plainText(value)} onChange={text} />;
      }
      return <TextField {...shared} maxLength={schema.maxLength} value={plainText(value)} onChange={text} />;
    default:
      return <p className="field-hint wide">{label} can&rsquo;t be edited here; use the API.</p>;
  }
}
