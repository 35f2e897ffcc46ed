import { useQuery, useQueryClient } from "@tanstack/react-query";

import { get, patch, post, remove } from "../../api/client";
import { useMay } from "../../api/session";
import type { CustomField } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Badge } from "../../components/Badge";
import { DialogButton } from "../../components/DialogButton";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { PlainTable } from "../../components/PlainTable";
import type { FieldOverride } from "../../forms/SchemaForm";
import { SchemaDialog } from "../../forms/SchemaDialog";
import { TYPE_LABELS } from "../administration/grants";

const KINDS: Readonly<Record<string, string>> = {
  text: "Text",
  multiline: "Text of several lines",
  number: "Number",
  email: "E-mail",
  list: "Choice of a list",
  date: "Date",
};

const OVERRIDES: Record<string, FieldOverride> = {
  certificate_type: { label: "Certificate type", choices: TYPE_LABELS },
  name: { label: "Name in APIs", hint: "Small letters, digits and underscores." },
  kind: { label: "Holds", choices: KINDS },
  choices: { label: "Choices", hint: "Of a list; one a line.", wide: true },
  mandatory_admin_ui: { label: "Mandatory in this console" },
  mandatory_api: { label: "Mandatory in REST and enrollment endpoints", hint: "" },
  mandatory_forms: { label: "Mandatory in enrollment forms", hint: "" },
};

const CHANGEABLE = ["label", "name", "choices", "mandatory_admin_ui", "mandatory_api", "mandatory_forms", "active"] as const;
const ALL = ["certificate_type", "kind", ...CHANGEABLE] as const;

function CreateButton() {
  const client = useQueryClient();
  return (
    <DialogButton variant="primary" icon="plus" label="Add custom field">
      {(close) => (
        <SchemaDialog
          schema="CustomFieldCreate"
          title="Add custom field"
          confirm="Add custom field"
          done="Custom field added"
          fields={ALL}
          overrides={OVERRIDES}
          initial={{ certificate_type: "ssl", kind: "text" }}
          run={async (values) => {
            await post("/custom-fields", values);
            await client.invalidateQueries({ queryKey: ["custom-fields"] });
          }}
          onClose={close}
        />
      )}
    </DialogButton>
  );
}

function EditButton({ field }: { field: CustomField }) {
  const client = useQueryClient();
  return (
    <DialogButton small label="Edit">
      {(close) => (
        <SchemaDialog
          schema="CustomFieldChange"
          title={`Edit ${field.label}`}
          confirm="Save"
          done="Saved"
          fields={CHANGEABLE.filter((name) => name !== "choices" || field.kind === "list")}
          overrides={OVERRIDES}
          initial={Object.fromEntries(CHANGEABLE.map((name) => [name, field[name]]))}
          run={async (values) => {
            await patch(`/custom-fields/${field.id}`, Object.fromEntries(CHANGEABLE.map((name) => [name, values[name]])));
            await client.invalidateQueries({ queryKey: ["custom-fields"] });
          }}
          onClose={close}
        />
      )}
    </DialogButton>
  );
}

function DeleteButton({ field }: { field: CustomField }) {
  const client = useQueryClient();
  return (
    <DialogButton small variant="link" label="Delete">
      {(close) => (
        <ActionDialog
          title="Delete custom field"
          confirm="Delete"
          danger
          done="Custom field deleted"
          run={() =>
            remove(`/custom-fields/${field.id}`).then(() => client.invalidateQueries({ queryKey: ["custom-fields"] }))
          }
          onClose={close}
        >
          <p>
            Values of <strong>{field.label}</strong> that certificates have are no longer shown. To keep them, deactivate
            the field instead.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

const mandatoryWords = (field: CustomField): string =>
  [field.mandatory_admin_ui && "console", field.mandatory_api && "API", field.mandatory_forms && "forms"]
    .filter(Boolean)
    .join(", ");

const COLUMNS = [
  { label: "Label", cell: (row: CustomField) => <strong>{row.label}</strong> },
  { label: "Name in APIs", cell: (row: CustomField) => <code>{row.name}</code> },
  { label: "Certificates", cell: (row: CustomField) => TYPE_LABELS[row.certificate_type] },
  { label: "Holds", cell: (row: CustomField) => (row.kind === "list" ? `One of: ${row.choices.join(", ")}` : KINDS[row.kind]) },
  { label: "Mandatory in", cell: (row: CustomField) => mandatoryWords(row) || <span className="muted">—</span> },
  { label: "Status", cell: (row: CustomField) => (row.active ? <Badge tone="ok">Active</Badge> : <Badge tone="idle">Inactive</Badge>) },
];

const ACTIONS = {
  label: "",
  cell: (row: CustomField) => (
    <span className="row">
      <EditButton field={row} />
      <DeleteButton field={row} />
    </span>
  ),
};

const rowKey = (row: CustomField) => String(row.id);

export function CustomFieldsPage() {
  const may = useMay();
  const edits = may("custom_fields.edit");
  const query = useQuery({
    queryKey: ["custom-fields", "all"],
    queryFn: ({ signal }) => get<{ items: CustomField[] }>("/custom-fields", {}, signal),
  });
  return (
    <>
      <PageHeader title="Custom fields" actions={edits && <CreateButton />}>
        What requests ask for beyond the usual. Certificates are searched and exported by them.
      </PageHeader>
      <Loaded query={query}>
        {({ items }) => (
          <PlainTable title="Fields" rows={items} rowKey={rowKey} columns={edits ? [...COLUMNS, ACTIONS] : COLUMNS} empty="None yet." />
        )}
      </Loaded>
    </>
  );
}
