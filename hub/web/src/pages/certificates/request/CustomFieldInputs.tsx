import { useCustomFields } from "../../../api/choices";
import type { CustomField } from "../../../api/types";
import { Select, TextArea, TextField } from "../../../forms/fields";

const INPUT_TYPES: Readonly<Record<string, string>> = { number: "number", email: "email", date: "date" };

interface InputProps {
  field: CustomField;
  value: string;
  onChange: (value: string) => void;
  error: string | undefined;
}

function CustomFieldInput({ field, ...rest }: InputProps) {
  const shared = { label: field.label, required: field.mandatory_admin_ui, ...rest };
  if (field.kind === "list") {
    return <Select empty="Choose…" options={field.choices.map((choice) => ({ value: choice, label: choice }))} {...shared} />;
  }
  if (field.kind === "multiline") return <TextArea wide rows={3} {...shared} />;
  return <TextField type={INPUT_TYPES[field.kind] ?? "text"} step={field.kind === "number" ? "any" : undefined} {...shared} />;
}

interface Props {
  values: Readonly<Record<string, string | number>>;
  onChange: (values: Record<string, string | number>) => void;
  errorOf: (field: string) => string | undefined;
}

/** What this installation asks for beyond the usual. The hub says which of them are missing or wrong. */
export function CustomFieldInputs({ values, onChange, errorOf }: Props) {
  const { data = [] } = useCustomFields("ssl");
  return data.map((field) => (
    <CustomFieldInput
      key={field.name}
      field={field}
      value={String(values[field.name] ?? "")}
      onChange={(value) => {
        onChange({ ...values, [field.name]: field.kind === "number" && value !== "" ? Number(value) : value });
      }}
      error={errorOf(`custom_fields.${field.name}`)}
    />
  ));
}
