import { useQueryClient } from "@tanstack/react-query";

import { patch, post, remove } from "../../api/client";
import { useMay } from "../../api/session";
import type { PersonRow } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { DialogButton } from "../../components/DialogButton";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import type { FieldOverride } from "../../forms/SchemaForm";
import { SchemaDialog } from "../../forms/SchemaDialog";
import { PlaceFields } from "./PlaceFields";

const FIELDS = [
  "first_name",
  "last_name",
  "middle_name",
  "common_name",
  "email",
  "domain",
  "phone",
  "validation_type",
  "alternative_emails",
  "secret_id",
  "principal_name",
  "eppn",
] as const;

const OVERRIDES: Record<string, FieldOverride> = {
  email: { label: "E-mail" },
  alternative_emails: { label: "Further e-mail addresses", hint: "One a line." },
  validation_type: { label: "Validation", choices: { standard: "Standard", high: "High" } },
  secret_id: { label: "Secret identifier" },
  eppn: { label: "EPPN" },
};

function CreateButton({ primary = false }: { primary?: boolean }) {
  const client = useQueryClient();
  return (
    <DialogButton variant={primary ? "primary" : "default"} icon="plus" label="Add person">
      {(close) => (
        <SchemaDialog
          schema="PersonCreate"
          title="Add person"
          confirm="Add person"
          done="Person added"
          wide
          fields={FIELDS}
          overrides={OVERRIDES}
          group={(values, onChange, problem) => <PlaceFields values={values} onChange={onChange} problem={problem} />}
          run={async (values) => {
            await post("/persons", values);
            await client.invalidateQueries({ queryKey: ["persons"] });
          }}
          onClose={close}
        />
      )}
    </DialogButton>
  );
}

function EditButton({ person }: { person: PersonRow }) {
  const client = useQueryClient();
  const before: Record<string, unknown> = { department_id: person.department_id, organization_id: person.organization_id };
  for (const name of FIELDS) if (name !== "secret_id") before[name] = person[name];
  return (
    <DialogButton small label="Edit">
      {(close) => (
        <SchemaDialog
          schema="PersonChange"
          title={`Edit ${person.common_name}`}
          confirm="Save"
          done="Saved"
          wide
          fields={FIELDS}
          overrides={{
            ...OVERRIDES,
            secret_id: {
              label: "Secret identifier",
              hint: person.has_secret_id ? "One is set; what you enter replaces it." : "None is set.",
            },
          }}
          group={(values, onChange, problem) => (
            <PlaceFields values={values} onChange={onChange} problem={problem} fixedOrganization />
          )}
          initial={before}
          run={async (values) => {
            const changed = [...FIELDS, "department_id"].filter(
              (name) => values[name] !== undefined && JSON.stringify(values[name]) !== JSON.stringify(before[name] ?? null),
            );
            await patch(`/persons/${person.id}`, Object.fromEntries(changed.map((name) => [name, values[name]])));
            await client.invalidateQueries({ queryKey: ["persons"] });
          }}
          onClose={close}
        />
      )}
    </DialogButton>
  );
}

function DeleteButton({ person }: { person: PersonRow }) {
  const client = useQueryClient();
  return (
    <DialogButton small variant="link" label="Delete">
      {(close) => (
        <ActionDialog
          title="Delete person"
          confirm="Delete"
          danger
          done="Person deleted"
          run={() => remove(`/persons/${person.id}`).then(() => client.invalidateQueries({ queryKey: ["persons"] }))}
          onClose={close}
        >
          <p>
            <strong>{person.common_name}</strong> ({person.email}) is removed. Certificates stay as they are.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

const COLUMNS: readonly GridColumn<PersonRow>[] = [
  { name: "common_name", label: "Name", width: 170 },
  { name: "email", label: "E-mail", sortable: false, width: 210 },
  { name: "organization_name", label: "Organization", sortable: false, width: 150 },
  { name: "department_name", label: "Department", sortable: false, width: 120 },
  { name: "phone", label: "Telephone", sortable: false, width: 130 },
  { name: "validation_type", label: "Validation", kind: "enum", choices: ["standard", "high"], sortable: false, width: 110 },
  { name: "has_secret_id", label: "Secret set", kind: "bool", sortable: false, filterable: false, width: 100 },
  { name: "principal_name", label: "Principal name", sortable: false, hidden: true },
  { name: "eppn", label: "EPPN", sortable: false, hidden: true },
  { name: "alternative_emails", label: "Further addresses", sortable: false, filterable: false, hidden: true },
  { name: "created_via", label: "Created by way of", sortable: false, hidden: true },
  { name: "created_at", label: "Created", kind: "time", hidden: true },
  {
    name: "id",
    label: "",
    sortable: false,
    filterable: false,
    width: 150,
    render: (row) => <RowActions person={row} />,
  },
];

function RowActions({ person }: { person: PersonRow }) {
  const may = useMay();
  if (!may("persons.edit")) return null;
  return (
    <span className="row">
      <EditButton person={person} />
      <DeleteButton person={person} />
    </span>
  );
}

const rowKey = (row: PersonRow) => String(row.id);

export function PersonsPage() {
  const may = useMay();
  const edits = may("persons.edit");
  return (
    <>
      <PageHeader title="Persons" actions={edits && <CreateButton primary />}>
        People who own client certificates, or ask for SSL ones.
      </PageHeader>
      <Grid
        name="persons"
        label="persons"
        root="persons"
        path="/persons"
        columns={COLUMNS}
        rowKey={rowKey}
        defaultSort="common_name"
        searchLabel="Search persons"
        empty={{ title: "No persons yet", icon: "user", text: "They are created by hand, or on their first request.", action: edits ? <CreateButton /> : undefined }}
      />
    </>
  );
}
