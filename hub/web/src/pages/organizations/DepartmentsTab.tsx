import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { post } from "../../api/client";
import { useMay } from "../../api/session";
import type { DepartmentRow, OrganizationRow } from "../../api/types";
import { Status } from "../../components/Badge";
import { Button } from "../../components/Button";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { SchemaDialog } from "../../forms/SchemaDialog";

const COLUMNS: readonly GridColumn<DepartmentRow>[] = [
  { name: "name", label: "Name", width: 260 },
  { name: "id", label: "ID", kind: "int", width: 80 },
  { name: "status", label: "Status", sortable: false, width: 120, render: (row) => <Status value={row.status} /> },
  { name: "own_address", label: "Address", kind: "bool", sortable: false, width: 180, render: (row) => (row.own_address ? "Its own" : "The organization's") },
  { name: "locality", label: "City", sortable: false },
  { name: "created_at", label: "Created", kind: "time" },
];

const rowKey = (row: DepartmentRow) => String(row.id);
const rowHref = (row: DepartmentRow) => `/organizations/${row.organization_id}/departments/${row.id}`;

export function DepartmentsTab({ organization }: { organization: OrganizationRow }) {
  const may = useMay();
  const client = useQueryClient();
  const [creating, setCreating] = useState(false);
  const create = may("departments.create") && (
    <Button
      small
      icon="plus"
      onClick={() => {
        setCreating(true);
      }}
    >
      Add department
    </Button>
  );
  return (
    <>
      <Grid
        name="departments"
        label="departments"
        root="organizations"
        path={`/organizations/${organization.id}/departments`}
        columns={COLUMNS}
        rowKey={rowKey}
        rowHref={rowHref}
        defaultSort="name"
        toolbar={() => create}
        empty={{ title: "No departments", icon: "organization", text: "Departments divide an organization's certificates and administrators." }}
      />
      {creating && (
        <SchemaDialog
          schema="DepartmentCreate"
          title="Add department"
          confirm="Add department"
          done="Department added"
          run={async (values) => {
            await post(`/organizations/${organization.id}/departments`, values);
            await client.invalidateQueries({ queryKey: ["organizations"] });
          }}
          onClose={() => {
            setCreating(false);
          }}
        />
      )}
    </>
  );
}
