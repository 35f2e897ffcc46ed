import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { post } from "../../api/client";
import { useMay } from "../../api/session";
import type { OrganizationRow } from "../../api/types";
import { Button } from "../../components/Button";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { SchemaDialog } from "../../forms/SchemaDialog";
import { ValidationBadge } from "./ValidationPanel";

const COLUMNS: readonly GridColumn<OrganizationRow>[] = [
  { name: "name", label: "Name", width: 240 },
  { name: "id", label: "ID", kind: "int", width: 70 },
  { name: "status", label: "Status", kind: "enum", choices: ["active", "inactive"], width: 120 },
  {
    name: "validation",
    label: "Validation",
    kind: "enum",
    choices: ["not_validated", "pending", "validated"],
    sortable: false,
    width: 150,
    render: (row) => <ValidationBadge state={row.validation} />,
  },
  { name: "validation_expires_at", label: "Validation ends", kind: "time", sortable: false, hidden: true },
  { name: "locality", label: "City", sortable: false },
  { name: "state", label: "State or province", sortable: false },
  { name: "country", label: "Country", sortable: false, width: 90 },
  { name: "street", label: "Street", sortable: false, hidden: true },
  { name: "postal_code", label: "Postal code", sortable: false, hidden: true },
  { name: "public_id", label: "Public ID", hidden: true, width: 280 },
  { name: "created_at", label: "Created", kind: "time" },
];

const rowKey = (row: OrganizationRow) => String(row.id);
const rowHref = (row: OrganizationRow) => `/organizations/${row.id}`;

export function OrganizationsPage() {
  const may = useMay();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [creating, setCreating] = useState(false);
  const create = may("organizations.create") && (
    <Button
      variant="primary"
      icon="plus"
      onClick={() => {
        setCreating(true);
      }}
    >
      Add organization
    </Button>
  );
  return (
    <>
      <PageHeader title="Organizations" actions={create} />
      <Grid
        name="organizations"
        label="organizations"
        root="organizations"
        path="/organizations"
        columns={COLUMNS}
        rowKey={rowKey}
        rowHref={rowHref}
        defaultSort="name"
        searchLabel="Search organizations"
        empty={{
          title: "No organizations yet",
          icon: "organization",
          text: "Certificates, domains and agents belong to organizations.",
          action: create || undefined,
        }}
      />
      {creating && (
        <SchemaDialog
          schema="OrganizationCreate"
          title="Add organization"
          confirm="Add organization"
          done="Organization added"
          run={async (values) => {
            const made = await post<OrganizationRow>("/organizations", values);
            await client.invalidateQueries({ queryKey: ["organizations"] });
            await navigate(`/organizations/${made.id}`);
          }}
          onClose={() => {
            setCreating(false);
          }}
        />
      )}
    </>
  );
}
