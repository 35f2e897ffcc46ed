import { useMemo, useState } from "react";

import { useMay } from "../../api/session";
import type { DomainRow } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Button } from "../../components/Button";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { DomainActions } from "./DomainActions";
import { DomainDialog } from "./DomainDialog";

const COLUMNS: readonly GridColumn<DomainRow>[] = [
  { name: "name", label: "Domain", width: 240, render: (row) => <span className="mono">{row.name}</span> },
  { name: "organization_name", label: "Organization" },
  {
    name: "approved",
    label: "Delegation",
    kind: "bool",
    sortable: false,
    width: 150,
    render: (row) => (row.approved ? <Badge tone="ok">Approved</Badge> : <Badge tone="warn">Awaiting approval</Badge>),
  },
  { name: "active", label: "Active", kind: "bool", sortable: false, width: 80 },
  { name: "requested_by", label: "Requested by", sortable: false },
  { name: "created_at", label: "Created", kind: "time" },
  { name: "id", label: "", sortable: false, filterable: false, width: 200, render: (row) => <DomainActions domain={row} /> },
];

const VIEWS = [
  { id: "waiting", label: "Awaiting approval", filters: () => [{ column: "approved", op: "eq" as const, value: "false" }] },
];

const rowKey = (row: DomainRow) => String(row.id);

export function DomainsGrid({ organizationId }: { organizationId?: number }) {
  const may = useMay();
  const [creating, setCreating] = useState(false);
  const base = useMemo(
    () =>
      organizationId === undefined
        ? []
        : [{ column: "organization_id", op: "eq" as const, value: String(organizationId) }],
    [organizationId],
  );
  return (
    <>
      <Grid
        name="domains"
        label="domains"
        root="domains"
        path="/domains"
        base={base}
        columns={COLUMNS}
        views={VIEWS}
        rowKey={rowKey}
        defaultSort="name"
        searchLabel="Search domains"
        toolbar={() =>
          may("domains.edit") && (
            <Button
              small
              icon="plus"
              onClick={() => {
                setCreating(true);
              }}
            >
              Delegate domain
            </Button>
          )
        }
        empty={{
          title: "No domains delegated",
          icon: "domain",
          text: "Names are issued only under domains that are delegated to the organization.",
        }}
      />
      {creating && (
        <DomainDialog
          organizationId={organizationId ?? null}
          onClose={() => {
            setCreating(false);
          }}
        />
      )}
    </>
  );
}
