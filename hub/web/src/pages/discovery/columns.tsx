import { Link } from "react-router";

import type { EndpointRow, FindRow, ScanRow, TaskRow } from "../../api/types";
import { Badge, Status } from "../../components/Badge";
import type { GridColumn } from "../../components/grid/columns";
import { Progress } from "../../components/Progress";
import { Expiry } from "../../components/Time";
import { AgentLink } from "../agents/AgentLink";
import { SCAN_STATES, TASK_STATES } from "./vocabulary";

const dash = <span className="muted">—</span>;

function RunState({ state, progress }: { state: string; progress: number | null }) {
  return state === "In Progress" ? <Progress share={progress ?? -1} label="Progress" /> : <Status value={state} />;
}

function CertificateLink({ id, name }: { id: number | null; name: string | null }) {
  return id === null ? dash : <Link to={`/certificates/ssl/${id}`}>{name || `Certificate ${id}`}</Link>;
}

const INVENTORY_TONES = { Managed: "ok", Assigned: "info", External: "warn" } as const;

function Inventory({ value }: { value: string }) {
  const tone = INVENTORY_TONES[value as keyof typeof INVENTORY_TONES];
  return value ? <Badge tone={tone}>{value}</Badge> : dash;
}

export const TASK_COLUMNS: readonly GridColumn<TaskRow>[] = [
  { name: "name", label: "Name", width: 200 },
  { name: "id", label: "ID", kind: "int", width: 70 },
  { name: "status", label: "Status", kind: "enum", choices: TASK_STATES, sortable: false, width: 150, render: (row) => <RunState state={row.status} progress={row.progress} /> },
  { name: "certificates_found", label: "Certificates", kind: "int", sortable: false, width: 110 },
  { name: "ranges", label: "Ranges to scan", sortable: false, filterable: false, width: 280 },
  { name: "agent", label: "Agent", sortable: false, render: (row) => <AgentLink name={row.agent} id={row.agent_id} /> },
  { name: "schedule", label: "Schedule", sortable: false, width: 100, render: (row) => (row.schedule === "manual" ? "Manual" : row.schedule) },
  { name: "last_scanned", label: "Last scanned", kind: "time" },
  { name: "organization", label: "Organization", sortable: false },
  { name: "created", label: "Created", kind: "time", sortable: false, hidden: true },
];

export const SCAN_COLUMNS: readonly GridColumn<ScanRow>[] = [
  { name: "id", label: "Scan", kind: "int", width: 80 },
  { name: "state", label: "Status", kind: "enum", choices: SCAN_STATES, sortable: false, width: 160, render: (row) => <RunState state={row.state} progress={row.progress} /> },
  { name: "started", label: "Date", kind: "time", sortable: false },
  { name: "finished", label: "Finished", kind: "time", sortable: false },
  { name: "endpoints_found", label: "Endpoints", kind: "int", sortable: false, width: 100 },
  { name: "certificates_found", label: "Certificates", kind: "int", sortable: false, width: 110 },
  { name: "certificates_new", label: "New", kind: "int", sortable: false, width: 80 },
  { name: "rotations", label: "Changed", kind: "int", sortable: false, width: 90 },
  { name: "disappeared", label: "Gone", kind: "int", sortable: false, width: 80 },
  { name: "message", label: "Message", sortable: false, width: 260 },
  { name: "requested_by", label: "Started by", sortable: false },
];

export const FIND_COLUMNS: readonly GridColumn<FindRow>[] = [
  { name: "address", label: "Address", sortable: false, width: 150, render: (row) => <span className="mono">{row.address}</span> },
  { name: "port", label: "Port", kind: "int", sortable: false, width: 76 },
  { name: "server_name", label: "Server name", sortable: false },
  { name: "hostname", label: "Host name", sortable: false, hidden: true },
  { name: "status", label: "Answer", sortable: false, width: 120, render: (row) => <Status value={row.status} /> },
  { name: "common_name", label: "Certificate", sortable: false, width: 220, render: (row) => <CertificateLink id={row.certificate_id} name={row.common_name} /> },
  { name: "valid_to", label: "Expires", kind: "time", sortable: false, width: 200, render: (row) => <Expiry value={row.valid_to} /> },
  { name: "inventory", label: "Inventory", sortable: false, width: 120, render: (row) => <Inventory value={row.inventory} /> },
  { name: "new", label: "New", kind: "bool", sortable: false, width: 70 },
  { name: "issuer", label: "Issuer", sortable: false, width: 220 },
  { name: "protocol", label: "Protocol", sortable: false, width: 100 },
  { name: "key_algorithm", label: "Key", sortable: false, width: 100 },
  { name: "key_size", label: "Key size", kind: "int", sortable: false, hidden: true },
  { name: "signature_algorithm", label: "Signature", sortable: false, hidden: true },
  { name: "reason", label: "Reason", sortable: false, hidden: true },
  { name: "subject", label: "Subject", sortable: false, hidden: true },
  { name: "subject_alternative_names", label: "Subject alternative names", sortable: false, hidden: true },
  { name: "serial_number", label: "Serial number", sortable: false, hidden: true },
  { name: "sha256", label: "SHA-256", sortable: false, hidden: true, width: 440 },
  { name: "valid_from", label: "Valid from", kind: "time", sortable: false, hidden: true },
  { name: "found", label: "Found", kind: "time", sortable: false, hidden: true },
];

export const ENDPOINT_COLUMNS: readonly GridColumn<EndpointRow>[] = [
  { name: "address", label: "Address", sortable: false, width: 150, render: (row) => <span className="mono">{row.address}</span> },
  { name: "port", label: "Port", kind: "int", sortable: false, width: 76 },
  { name: "server_name", label: "Server name", sortable: false },
  { name: "hostname", label: "Host name", sortable: false, hidden: true },
  { name: "present", label: "Now", kind: "bool", sortable: false, width: 90, render: (row) => (row.present ? <Badge tone="ok">There</Badge> : <Badge tone="idle">Gone</Badge>) },
  { name: "status", label: "Answer", sortable: false, width: 120, render: (row) => <Status value={row.status} /> },
  { name: "common_name", label: "Certificate", sortable: false, width: 220, render: (row) => <CertificateLink id={row.certificate_id} name={row.common_name} /> },
  { name: "valid_to", label: "Expires", kind: "time", sortable: false, width: 200, render: (row) => <Expiry value={row.valid_to} /> },
  { name: "inventory", label: "Inventory", sortable: false, width: 120, render: (row) => <Inventory value={row.inventory} /> },
  { name: "protocol", label: "Protocol", sortable: false, width: 100 },
  { name: "last_seen", label: "Last seen", kind: "time" },
  { name: "changed", label: "Certificate since", kind: "time", sortable: false },
  { name: "first_seen", label: "First seen", kind: "time", sortable: false, hidden: true },
  { name: "agent", label: "Agent", sortable: false, render: (row) => <AgentLink name={row.agent} id={row.agent_id} /> },
  { name: "organization", label: "Organization", sortable: false, hidden: true },
  { name: "key_algorithm", label: "Key", sortable: false, hidden: true },
  { name: "partial", label: "Key not proven", kind: "bool", sortable: false, hidden: true },
  { name: "reason", label: "Reason", sortable: false, hidden: true },
  { name: "sha256", label: "SHA-256", sortable: false, hidden: true, width: 440 },
];

export const TASK_VIEWS = [
  { id: "running", label: "Running", filters: () => [{ column: "status", op: "in" as const, value: "Queued,In Progress,Canceling" }] },
  { id: "failed", label: "Failed", filters: () => [{ column: "status", op: "eq" as const, value: "Failed" }] },
];

