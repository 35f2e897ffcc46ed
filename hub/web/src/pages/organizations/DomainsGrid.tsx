import { useMemo } from "react";

import { useMay } from "../../api/session";
import type { DomainRow } from "../../api/types";
import { Badge, type Tone } from "../../components/Badge";
import { DialogButton } from "../../components/DialogButton";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { TYPE_LABELS } from "../administration/grants";
import { DecisionActions } from "./DomainActions";
import { DomainDialog } from "./DomainDialog";
import { DomainValidation } from "./DomainValidation";

const STATES: Readonly<Record<DomainRow["state"], readonly [Tone, string]>> = {
  requested: ["warn", "Awaiting approval"],
  approved: ["ok", "Approved"],
  rejected: ["bad", "Rejected"],
};

export function DomainState({ domain }: { domain: DomainRow }) {
  const [tone, label] = STATES[domain.state];
  return <Badge tone={tone}>{label}</Badge>;
}

const COLUMNS: readonly GridColumn<DomainRow>[] = [
  { name: "name", label: "Domain", width: 220, render: (row) => <span className="mono">{row.name}</span> },
  { name: "organization_name", label: "Organization", width: 170 },
  { name: "department_name", label: "Department", sortable: false, width: 140, render: (row) => row.department_name ?? <span className="muted">All</span> },
  {
    name: "certificate_types",
    label: "Types",
    sortable: false,
    filterable: false,
    width: 170,
    render: (row) => (row.certificate_types.length === 4 ? "All" : row.certificate_types.map((type) => TYPE_LABELS[type]).join(", ")),
  },
  {
    name: "state",
    label: "Delegation",
    kind: "enum",
    choices: Object.keys(STATES),
    sortable: false,
    width: 160,
    render: (row) => <DomainState domain={row} />,
  },
  { name: "active", label: "Active", kind: "bool", sortable: false, width: 80 },
  { name: "id", label: "Validation", sortable: false, filterable: false, width: 150, render: (row) => <DomainValidation domain={row} /> },
  { name: "requested_by", label: "Requested by", sortable: false, width: 130, hidden: true },
  { name: "created_at", label: "Created", kind: "time", hidden: true },
  {
    name: "approved",
    label: "",
    sortable: false,
    filterable: false,
    width: 170,
    render: (row) => (
      <span className="row">
        <DecisionActions domain={row} small />
      </span>
    ),
  },
];

const VIEWS = [
  { id: "waiting", label: "Awaiting approval", filters: () => [{ column: "state", op: "eq" as const, value: "requested" }] },
];

const rowKey = (row: DomainRow) => String(row.id);
const rowHref = (row: DomainRow) => `/domains/${row.id}`;

export function DomainsGrid({ organizationId }: { organizationId?: number }) {
  const may = useMay();
  const base = useMemo(
    () =>
      organizationId === undefined
        ? []
        : [{ column: "organization_id", op: "eq" as const, value: String(organizationId) }],
    [organizationId],
  );
  return (
    <Grid
      name="domains"
      label="domains"
      root="domains"
      path="/domains"
      base={base}
      columns={COLUMNS}
      views={VIEWS}
      rowKey={rowKey}
      rowHref={rowHref}
      defaultSort="name"
      searchLabel="Search domains"
      toolbar={() =>
        may("domains.request") && (
          <DialogButton small icon="plus" label={may("domains.approve") ? "Delegate domain" : "Request domain"}>
            {(close) => <DomainDialog organizationId={organizationId ?? null} onClose={close} />}
          </DialogButton>
        )
      }
      empty={{
        title: "No domains delegated",
        icon: "domain",
        text: "Names are issued only under domains that are delegated to the organization.",
      }}
    />
  );
}
