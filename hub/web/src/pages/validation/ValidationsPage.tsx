import { useMay } from "../../api/session";
import type { DcvRow } from "../../api/types";
import { LinkButton } from "../../components/Button";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { Expiry } from "../../components/Time";
import { DCV_STATES, DcvState } from "./DcvState";
import { useMethodWords } from "./methods";

function MethodName({ name }: { name: string | null }) {
  const words = useMethodWords();
  return name === null ? <span className="muted">—</span> : <>{words(name)}</>;
}

const COLUMNS: readonly GridColumn<DcvRow>[] = [
  { name: "domain", label: "Domain", width: 220, render: (row) => <span className="mono">{row.domain}</span> },
  { name: "organization_name", label: "Organization", width: 170 },
  { name: "state", label: "Status", kind: "enum", choices: DCV_STATES, width: 140, render: (row) => <DcvState state={row.state} /> },
  { name: "trust", label: "Trust", kind: "enum", choices: ["public", "private"], width: 100 },
  { name: "method", label: "Method", sortable: false, width: 170, render: (row) => <MethodName name={row.method} /> },
  { name: "expires_at", label: "Expires", kind: "time", width: 180, render: (row) => <Expiry value={row.expires_at} /> },
  { name: "next_revalidation_at", label: "Next automatic", kind: "time" },
  { name: "action_at", label: "Action needed from", kind: "time", hidden: true },
  { name: "validated_at", label: "Validated", kind: "time", hidden: true },
  { name: "renewal_method", label: "Renewed by", sortable: false, hidden: true },
];

const VIEWS = [
  { id: "action", label: "Need action", filters: (now: number) => [{ column: "action_at", op: "le" as const, value: new Date(now).toISOString() }] },
  { id: "pending", label: "Pending", filters: () => [{ column: "state", op: "eq" as const, value: "pending" }] },
];

const rowKey = (row: DcvRow) => String(row.id);
const rowHref = (row: DcvRow) => `/domain-validation/${row.id}`;

export function ValidationsPage() {
  const may = useMay();
  const start = may("dcv.edit") && (
    <LinkButton to="/domain-validation/start" variant="primary" icon="play">
      Validate a domain
    </LinkButton>
  );
  return (
    <>
      <PageHeader title="Domain validation" actions={start}>
        Proof that an organization controls its domains. Each has its own clock, and is renewed before it runs out.
      </PageHeader>
      <Grid
        name="validations"
        label="validations"
        root="dcv"
        path="/dcv"
        columns={COLUMNS}
        views={VIEWS}
        rowKey={rowKey}
        rowHref={rowHref}
        defaultSort="domain"
        searchLabel="Search domains"
        empty={{
          title: "No domain is validated yet",
          icon: "domain",
          text: "Certificates of public trust need it; those of private trust need the delegation only.",
          action: start || undefined,
        }}
      />
    </>
  );
}
