import type { AgentRow, CommandRow, TokenRow } from "../../api/types";
import { Badge, Status } from "../../components/Badge";
import type { GridColumn } from "../../components/grid/columns";
import { Progress } from "../../components/Progress";
import { AgentLink } from "./AgentLink";
import { AGENT_KINDS, COMMAND_KINDS, COMMAND_STATES, commandWords, kindWords, OPEN_STATES } from "./vocabulary";

export function AgentStatus({ agent }: { agent: Pick<AgentRow, "status" | "connected"> }) {
  if (agent.status === "removed") return <Status value="removed" />;
  return <Status value={agent.connected ? "connected" : "disconnected"} />;
}

export const AGENT_COLUMNS: readonly GridColumn<AgentRow>[] = [
  { name: "name", label: "Name", width: 220 },
  { name: "connected", label: "Connection", kind: "bool", sortable: false, width: 140, render: (row) => <AgentStatus agent={row} /> },
  { name: "kind", label: "Kind", kind: "enum", choices: AGENT_KINDS, render: (row) => kindWords(row.kind), width: 160 },
  { name: "hostname", label: "Host", width: 200 },
  { name: "platform", label: "Platform", width: 150 },
  { name: "version", label: "Version", width: 100 },
  { name: "last_seen_at", label: "Last seen", kind: "time" },
  { name: "connected_at", label: "Connected since", kind: "time", hidden: true },
  { name: "enrolled_at", label: "Enrolled", kind: "time", hidden: true },
  { name: "certificate_not_after", label: "Identity valid until", kind: "time" },
  { name: "status", label: "Status", kind: "enum", choices: ["active", "removed"], hidden: true },
  { name: "organization_id", label: "Organization ID", kind: "int", hidden: true },
  { name: "id", label: "ID", width: 300, hidden: true },
];

export function CommandStatus({ command }: { command: Pick<CommandRow, "state" | "progress_share"> }) {
  if (command.state === "accepted" && command.progress_share > 0) {
    return <Progress share={command.progress_share} label="Progress" />;
  }
  return <Status value={COMMAND_STATES[command.state] ?? command.state} />;
}

const COMMAND_BASE: readonly GridColumn<CommandRow>[] = [
  {
    name: "kind",
    label: "Command",
    kind: "enum",
    choices: COMMAND_KINDS,
    sortable: false,
    width: 180,
    render: (row) => commandWords(row.kind),
  },
  { name: "agent_name", label: "Agent", sortable: false, render: (row) => <AgentLink name={row.agent_name} id={row.agent_id} /> },
  {
    name: "state",
    label: "Status",
    kind: "enum",
    choices: Object.keys(COMMAND_STATES),
    sortable: false,
    width: 150,
    render: (row) => <CommandStatus command={row} />,
  },
  { name: "created_at", label: "Date", kind: "time" },
  { name: "finished_at", label: "Finished", kind: "time", sortable: false },
  { name: "failure_reason", label: "Failure", sortable: false, width: 180 },
  { name: "progress_message", label: "Progress", sortable: false, filterable: true, hidden: true },
  { name: "requested_by", label: "Requested by", sortable: false, width: 140 },
  { name: "attempt", label: "Attempt", kind: "int", sortable: false, hidden: true },
  { name: "deadline", label: "Deadline", kind: "time", sortable: false, hidden: true },
  { name: "subject_type", label: "For", sortable: false, hidden: true },
  { name: "subject_id", label: "For ID", sortable: false, hidden: true },
  { name: "id", label: "ID", sortable: false, width: 300, hidden: true },
];

export const COMMAND_COLUMNS = COMMAND_BASE;

export const AGENT_COMMAND_COLUMNS = COMMAND_BASE.filter((column) => column.name !== "agent_name");

export const COMMAND_VIEWS = [
  { id: "open", label: "Open", filters: () => [{ column: "state", op: "in" as const, value: OPEN_STATES.join(",") }] },
  { id: "failed", label: "Failed", filters: () => [{ column: "state", op: "in" as const, value: "failed,expired" }] },
];

const TOKEN_TONES = { open: "info", used: "idle", expired: "idle", revoked: "bad" } as const;
const TOKEN_WORDS = { open: "Unused", used: "Used", expired: "Expired", revoked: "Withdrawn" } as const;

export const TOKEN_COLUMNS: readonly GridColumn<TokenRow>[] = [
  {
    name: "status",
    label: "Status",
    sortable: false,
    filterable: false,
    width: 120,
    render: (row) => <Badge tone={TOKEN_TONES[row.status]}>{TOKEN_WORDS[row.status]}</Badge>,
  },
  {
    name: "kinds",
    label: "For",
    sortable: false,
    filterable: false,
    width: 240,
    render: (row) => row.kinds.map(kindWords).join(", "),
  },
  { name: "created_by", label: "Created by" },
  { name: "created_at", label: "Created", kind: "time" },
  { name: "expires_at", label: "Expires", kind: "time" },
  { name: "used_at", label: "Used", kind: "time" },
  {
    name: "used_by",
    label: "Agent",
    sortable: false,
    filterable: false,
    render: (row) => (row.used_by ? <AgentLink name="Show agent" id={row.used_by} /> : <span className="muted">—</span>),
  },
  { name: "revoked_at", label: "Withdrawn", kind: "time", hidden: true },
  { name: "id", label: "ID", width: 300, hidden: true },
];

