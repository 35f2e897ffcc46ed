/** Columns of the SSL certificates, grouped as administrators know them. */

import type { CertificateRow, CustomField } from "../../api/types";
import { Status } from "../../components/Badge";
import type { GridColumn } from "../../components/grid/columns";
import type { GridView } from "../../components/grid/state";
import { Expiry } from "../../components/Time";
import { isOver, KEY_LOCATIONS, METHODS, STATUSES } from "./vocabulary";

const INSTALL_STATES = ["Not Scheduled", "Scheduled", "Started", "Successful", "Failed", "Restart Required"];
const RENEWAL_STATES = ["Not Scheduled", "Scheduled", "Started", "Successful", "Failed"];

/** In a list, what is not planned is no news. */
const planned = (state: string) =>
  state === "Not Scheduled" ? <span className="muted">—</span> : <Status value={state} />;

type Column = GridColumn<CertificateRow>;

/** Most columns have no index behind them and so can't be sorted by. */
const plain = (group: string, columns: readonly Column[]): Column[] =>
  columns.map((column) => ({ sortable: false, group, ...column }));

const hidden = (name: Column["name"], label: string, rest: Partial<Column> = {}): Column => ({
  name,
  label,
  hidden: true,
  ...rest,
});

const time = (name: Column["name"], label: string): Column => hidden(name, label, { kind: "time" });

export const CERTIFICATE_COLUMNS: readonly Column[] = [
  ...plain("General", [
    { name: "common_name", label: "Common name", width: 240, sortable: true },
    { name: "status", label: "Status", kind: "enum", choices: STATUSES, width: 138 },
  ]),
  ...plain("Certificate", [
    {
      name: "expires",
      label: "Expires",
      kind: "time",
      width: 200,
      sortable: true,
      render: (row) => <Expiry value={row.expires} ended={isOver(row.status)} />,
    },
  ]),
  ...plain("Ownership", [
    { name: "organization", label: "Organization", width: 150 },
    hidden("department", "Department"),
  ]),
  ...plain("General", [{ name: "id", label: "ID", kind: "int", width: 70, sortable: true }]),
  ...plain("Order", [
    { name: "profile", label: "Profile", width: 190 },
    hidden("sub_type", "Sub type", { width: 90 }),
    hidden("order_number", "Order number"),
    hidden("term_days", "Term (days)", { kind: "int", width: 100 }),
    hidden("method", "Method", {
      kind: "enum",
      choices: Object.keys(METHODS),
      render: (row) => METHODS[row.method]?.short ?? "—",
    }),
    hidden("requester", "Requester", { width: 130 }),
    hidden("requested_via", "Requested via"),
    hidden("approver", "Approver"),
  ]),
  ...plain("Certificate", [
    hidden("subject_alternative_names", "Subject alternative names", { width: 300 }),
    hidden("subject", "Subject", { width: 300 }),
    hidden("locality", "City"),
    hidden("state", "State"),
    hidden("country", "Country", { width: 90 }),
    hidden("issuer", "Issuer", { width: 220 }),
    hidden("authority", "CA", { width: 160 }),
    time("not_before", "Valid from"),
    hidden("serial_number", "Serial number", { sortable: true, width: 260 }),
    hidden("key_usage", "Key usage", { filterable: false }),
    hidden("extended_key_usage", "Extended key usage", { filterable: false }),
    hidden("key_type", "Key", { width: 100 }),
    hidden("key_bits", "Key size", { kind: "int" }),
    hidden("signature_algorithm", "Signature algorithm"),
    hidden("md5", "MD5", { width: 260 }),
    hidden("sha1", "SHA-1", { width: 300 }),
    hidden("sha256", "SHA-256", { width: 440 }),
    hidden("self_signed", "Self-signed", { kind: "bool" }),
  ]),
  ...plain("Management", [
    {
      name: "private_key",
      hidden: true,
      label: "Private key",
      kind: "enum",
      choices: ["pks", "target"],
      width: 110,
      render: (row) => KEY_LOCATIONS[row.private_key] ?? <span className="muted">—</span>,
    },
    hidden("private_key_agent", "Key's agent"),
    {
      name: "install_state",
      label: "Installation",
      kind: "enum",
      choices: INSTALL_STATES,
      width: 140,
      render: (row) => planned(row.install_state),
    },
    hidden("renewal_state", "Renewal", {
      kind: "enum",
      choices: RENEWAL_STATES,
      render: (row) => planned(row.renewal_state),
    }),
    time("renewal_due", "Renewal due"),
    hidden("notifications_suspended", "Notifications suspended", { kind: "bool" }),
    hidden("external_requester", "External requester"),
    hidden("comments", "Comments", { width: 240 }),
    hidden("status_message", "Status message", { width: 240 }),
  ]),
  ...plain("Time span", [
    time("requested", "Requested"),
    time("approved", "Approved"),
    time("declined", "Declined"),
    time("applied", "Applied"),
    time("issued", "Issued"),
    time("downloaded", "Downloaded"),
    time("discovered", "Discovered"),
    time("revoked", "Revoked"),
    time("replaced", "Replaced"),
  ]),
];

/** Custom fields are columns of the hub's list too, under names of their own. */
export const customColumns = (fields: readonly CustomField[]): readonly Column[] =>
  plain(
    "Custom fields",
    fields.map((field) => ({
      // The list knows it by this name; the row has it under `custom`.
      name: `custom.${field.name}` as Column["name"],
      label: field.label,
      hidden: true,
      kind: field.kind === "number" ? ("int" as const) : ("text" as const),
      render: (row: CertificateRow) => row.custom?.[field.name] ?? <span className="muted">—</span>,
    })),
  );

const DAY_MS = 86_400_000;

const iso = (time_: number): string => new Date(time_).toISOString();

const expiringIn = (days: number): GridView => ({
  id: `expiring-${days}`,
  label: `Expiring in ${days} days`,
  sort: "expires",
  filters: (now) => [
    { column: "expires", op: "ge", value: iso(now) },
    { column: "expires", op: "le", value: iso(now + days * DAY_MS) },
    { column: "status", op: "in", value: "Issued,Downloaded,External" },
  ],
});

export const CERTIFICATE_VIEWS: readonly GridView[] = [
  {
    id: "waiting",
    label: "Awaiting approval",
    filters: () => [{ column: "status", op: "eq", value: "Requested" }],
  },
  {
    id: "live",
    label: "Issued",
    filters: () => [{ column: "status", op: "in", value: "Issued,Downloaded" }],
  },
  expiringIn(7),
  expiringIn(30),
  expiringIn(47),
  {
    id: "found",
    label: "Found",
    filters: () => [{ column: "status", op: "in", value: "External,Unmanaged" }],
  },
  {
    id: "trouble",
    label: "Failed",
    filters: () => [{ column: "status", op: "in", value: "Rejected,Invalid,Declined" }],
  },
];
