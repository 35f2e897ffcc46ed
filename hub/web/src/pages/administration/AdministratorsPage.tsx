import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { patch } from "../../api/client";
import { useMay, useSession } from "../../api/session";
import type { AdministratorRow } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Button } from "../../components/Button";
import { Badge } from "../../components/Badge";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { AdministratorDialog } from "./AdministratorDialog";

function ActiveSwitch({ administrator }: { administrator: AdministratorRow }) {
  const session = useSession();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  if (administrator.id === session.administrator_id) return <span className="muted small">You</span>;
  const { active, name } = administrator;
  return (
    <>
      <Button
        small
        variant="link"
        onClick={() => {
          setAsking(true);
        }}
      >
        {active ? "Deactivate" : "Activate"}
      </Button>
      {asking && (
        <ActionDialog
          title={active ? "Deactivate administrator" : "Activate administrator"}
          confirm={active ? "Deactivate" : "Activate"}
          danger={active}
          run={async () => {
            await patch(`/administrators/${administrator.id}`, { active: !active });
            await client.invalidateQueries({ queryKey: ["administrators"] });
          }}
          done="Saved"
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>
            <strong>{name}</strong>{" "}
            {active ? "is signed out at once and can't sign in any more." : "can sign in again."} What they did stays in
            the audit log.
          </p>
        </ActionDialog>
      )}
    </>
  );
}

const COLUMNS: readonly GridColumn<AdministratorRow>[] = [
  { name: "username", label: "User name" },
  { name: "name", label: "Name" },
  { name: "email", label: "E-mail", width: 220 },
  {
    name: "active",
    label: "Status",
    kind: "bool",
    width: 120,
    render: (row) => (row.active ? <Badge tone="ok">Active</Badge> : <Badge tone="idle">Inactive</Badge>),
  },
  { name: "last_login_at", label: "Last sign-in", kind: "time" },
  { name: "created_at", label: "Created", kind: "time" },
  { name: "id", label: "", sortable: false, filterable: false, width: 130, render: (row) => <ActiveSwitch administrator={row} /> },
];

const rowKey = (row: AdministratorRow) => String(row.id);

export function AdministratorsPage() {
  const may = useMay();
  const [creating, setCreating] = useState(false);
  return (
    <>
      <PageHeader
        title="Administrators"
        actions={
          may("administrators.edit") && (
            <Button
              variant="primary"
              icon="plus"
              onClick={() => {
                setCreating(true);
              }}
            >
              Add administrator
            </Button>
          )
        }
      />
      <Grid
        name="administrators"
        label="administrators"
        root="administrators"
        path="/administrators"
        columns={COLUMNS}
        rowKey={rowKey}
        defaultSort="username"
        searchLabel="Search administrators"
        empty={{ title: "No administrators", icon: "people" }}
      />
      {creating && (
        <AdministratorDialog
          onClose={() => {
            setCreating(false);
          }}
        />
      )}
    </>
  );
}
