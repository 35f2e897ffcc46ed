import { useMay } from "../../api/session";
import type { AgentRow } from "../../api/types";
import { LinkButton } from "../../components/Button";
import { Grid } from "../../components/grid/Grid";
import type { GridView } from "../../components/grid/state";
import { PageHeader } from "../../components/PageHeader";
import { AGENT_COLUMNS } from "./columns";

const VIEWS: readonly GridView[] = [
  { id: "active", label: "In service", filters: () => [{ column: "status", op: "eq", value: "active" }] },
  {
    id: "offline",
    label: "Not connected",
    filters: () => [
      { column: "status", op: "eq", value: "active" },
      { column: "connected", op: "eq", value: "false" },
    ],
  },
];

const rowKey = (row: AgentRow) => row.id;
const rowHref = (row: AgentRow) => `/agents/${row.id}`;

export function AgentsPage() {
  const may = useMay();
  const enroll = may("agents.enroll") && (
    <LinkButton to="/enrollment-tokens?new=1" variant="primary" icon="plus">
      Enroll agent
    </LinkButton>
  );
  return (
    <>
      <PageHeader title="Agents" actions={enroll} />
      <Grid
        name="agents"
        label="agents"
        root="agents"
        path="/agents"
        columns={AGENT_COLUMNS}
        views={VIEWS}
        rowKey={rowKey}
        rowHref={rowHref}
        defaultSort="name"
        searchLabel="Search agents"
        empty={{
          title: "No agents yet",
          icon: "agent",
          text: "Agents discover certificates, make and keep keys, and install certificates on servers. They dial out to this hub.",
          action: enroll || undefined,
        }}
      />
    </>
  );
}
