import { Link } from "react-router";

import { Status } from "../../components/Badge";
import type { GridColumn } from "../../components/grid/columns";
import { Expiry, Time } from "../../components/Time";
import { ChainChips } from "./Chain";
import { EntryActions } from "./EntryActions";
import type { BudgetRow, FreezeRow, UpcomingRow, WindowRow } from "./types";
import { hoursText, hoursTone, RENEWAL_STATES, weekdaysText } from "./vocabulary";

const dash = <span className="muted">—</span>;

interface Placed {
  organization: string | null;
  department: string | null;
  profile: string | null;
  agent: string | null;
  server_pattern: string;
}

/** For whom an entry is, in one line. */
export function placeText(entry: Placed): string {
  const parts = [entry.organization ?? "All organizations", entry.department, entry.profile, entry.agent];
  if (entry.server_pattern) parts.push(`servers ${entry.server_pattern}`);
  return parts.filter(Boolean).join(" · ");
}

const localText = (local: string): string => local.replace("T", " ");

export const FREEZE_COLUMNS: readonly GridColumn<FreezeRow>[] = [
  { name: "name", label: "Name", width: 200 },
  { name: "starts_at", label: "Starts", kind: "time", width: 145, render: (row) => <span className="num">{localText(row.starts)}</span> },
  { name: "ends_at", label: "Ends", kind: "time", width: 145, render: (row) => <span className="num">{localText(row.ends)}</span> },
  { name: "time_zone", label: "Time zone", sortable: false, width: 150 },
  { name: "repeats_yearly", label: "Every year", kind: "bool", sortable: false, width: 100 },
  { name: "organization", label: "For", sortable: false, width: 230, render: (row) => placeText(row) },
  { name: "id", label: "Actions", kind: "int", filterable: false, sortable: false, width: 140, render: (row) => <EntryActions kind="freezes" id={row.id} name={row.name} /> },
  { name: "comment", label: "Comment", sortable: false, width: 200 },
  { name: "created_by", label: "Created by", sortable: false, hidden: true },
  { name: "created", label: "Created", kind: "time", sortable: false, hidden: true },
];

export const WINDOW_COLUMNS: readonly GridColumn<WindowRow>[] = [
  { name: "name", label: "Name", width: 200 },
  { name: "weekdays", label: "Opens on", sortable: false, filterable: false, width: 160, render: (row) => weekdaysText(row.weekdays) },
  { name: "opens", label: "Hours", sortable: false, filterable: false, width: 120, render: (row) => <span className="num">{`${row.opens}–${row.closes}`}</span> },
  { name: "time_zone", label: "Time zone", sortable: false, width: 150 },
  { name: "organization", label: "For", sortable: false, width: 230, render: (row) => placeText(row) },
  { name: "id", label: "Actions", kind: "int", filterable: false, sortable: false, width: 140, render: (row) => <EntryActions kind="windows" id={row.id} name={row.name} /> },
  { name: "comment", label: "Comment", sortable: false, width: 200 },
  { name: "created_by", label: "Created by", sortable: false, hidden: true },
  { name: "created", label: "Created", kind: "time", sortable: false, hidden: true },
];

export const UPCOMING_COLUMNS: readonly GridColumn<UpcomingRow>[] = [
  { name: "common_name", label: "Common name", sortable: false, width: 230 },
  { name: "due", label: "Due", kind: "time", width: 230, render: (row) => <Time value={row.due} /> },
  { name: "renewal_state", label: "State", kind: "enum", choices: RENEWAL_STATES, sortable: false, width: 120, render: (row) => <Status value={row.renewal_state} /> },
  { name: "attempts", label: "Failed tries", kind: "int", sortable: false, width: 100 },
  { name: "expires", label: "Expires", kind: "time", width: 190, render: (row) => <Expiry value={row.expires} /> },
  { name: "successor_id", label: "Successor", kind: "int", sortable: false, width: 110, render: (row) => (row.successor_id === null ? dash : <Link to={`/certificates/ssl/${row.successor_id}`}>{row.successor_id}</Link>) },
  { name: "organization", label: "Organization", sortable: false },
  { name: "profile", label: "Profile", sortable: false },
  { name: "agent", label: "Key's agent", sortable: false },
  { name: "id", label: "ID", kind: "int", sortable: false, hidden: true },
];

const DAY_MS = 86_400_000;

export const UPCOMING_VIEWS = [
  { id: "failed", label: "Failed", filters: () => [{ column: "renewal_state", op: "eq" as const, value: "Failed" }] },
  { id: "running", label: "Running", filters: () => [{ column: "renewal_state", op: "eq" as const, value: "Started" }] },
  {
    id: "week",
    label: "Due within 7 days",
    filters: (now: number) => [{ column: "due", op: "le" as const, value: new Date(now + 7 * DAY_MS).toISOString() }],
  },
];

function Hours({ hours }: { hours: number }) {
  const tone = hoursTone(hours);
  return <strong className={tone ? `num tone-${tone}` : "num"}>{hoursText(hours)}</strong>;
}

function Services({ row }: { row: BudgetRow }) {
  const { services = [], services_total: total = 0 } = row.budget ?? {};
  if (total === 0) return dash;
  const more = total - services.length;
  return <span title={services.join(", ")}>{`${services[0] ?? ""}${more > 0 || services.length > 1 ? ` +${total - 1}` : ""}`}</span>;
}

export const BUDGET_COLUMNS: readonly GridColumn<BudgetRow>[] = [
  { name: "common_name", label: "Certificate", sortable: false, width: 210 },
  { name: "outage_at", label: "Until an outage", kind: "time", width: 130, render: (row) => (row.budget ? <Hours hours={row.budget.hours_left} /> : dash) },
  { name: "budget", label: "Hangs on", sortable: false, filterable: false, width: 500, render: (row) => <ChainChips links={row.budget?.links ?? []} /> },
  { name: "status", label: "Service", sortable: false, filterable: false, width: 160, render: (row) => <Services row={row} /> },
  { name: "organization", label: "Organization", sortable: false, width: 170 },
  { name: "renewal_state", label: "Renewal", kind: "enum", choices: ["Not Scheduled", ...RENEWAL_STATES], sortable: false, width: 130, render: (row) => <Status value={row.renewal_state} /> },
  { name: "id", label: "ID", kind: "int", sortable: false, hidden: true },
];

export const BUDGET_VIEWS = [
  { id: "failed", label: "Renewal failed", filters: () => [{ column: "renewal_state", op: "eq" as const, value: "Failed" }] },
  { id: "manual", label: "Not automatic", filters: () => [{ column: "renewal_state", op: "eq" as const, value: "Not Scheduled" }] },
  {
    id: "week",
    label: "Within 7 days",
    filters: (now: number) => [{ column: "outage_at", op: "le" as const, value: new Date(now + 7 * DAY_MS).toISOString() }],
  },
];

