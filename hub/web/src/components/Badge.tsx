import { Icon, type IconName } from "./Icon";

export type Tone = "ok" | "warn" | "bad" | "info" | "idle";

const ICONS: Record<Tone, IconName> = { ok: "check", warn: "clock", bad: "error", info: "info", idle: "minus" };

export function Badge({ tone, children, icon }: { tone: Tone; children: string; icon?: IconName }) {
  return (
    <span className="badge" data-tone={tone}>
      <Icon name={icon ?? ICONS[tone]} size={12} />
      {children}
    </span>
  );
}

/** Statuses of everything the hub has, by their exact words. */
const TONES: Readonly<Record<string, Tone>> = {
  // Certificates
  Requested: "warn",
  Approved: "info",
  Applied: "info",
  Issued: "ok",
  Downloaded: "ok",
  Declined: "bad",
  Rejected: "bad",
  Invalid: "bad",
  Expired: "bad",
  Revoked: "bad",
  Replaced: "idle",
  External: "idle",
  Unmanaged: "idle",
  // Installations, renewals and their items
  "Not Scheduled": "idle",
  Scheduled: "info",
  Started: "info",
  Successful: "ok",
  Failed: "bad",
  "Restart Required": "warn",
  "Not Started": "idle",
  "Private Key Saved": "info",
  "Certificate Saved": "info",
  "Certificate Deployed": "warn",
  Installed: "ok",
  // Commands and scans
  Pending: "warn",
  Sent: "info",
  "In Progress": "info",
  "Scan in Progress": "info",
  Canceling: "warn",
  Canceled: "idle",
  "Not Scanned": "idle",
  // Notifications
  Queued: "info",
  Sending: "info",
  Uncertain: "warn",
  Suppressed: "idle",
  // Agents, backends, tokens, endpoints
  connected: "ok",
  disconnected: "bad",
  active: "ok",
  inactive: "idle",
  disabled: "idle",
  removed: "idle",
  unused: "info",
  used: "idle",
  expired: "idle",
  revoked: "bad",
  ok: "ok",
  not_tls: "idle",
  tls_failed: "warn",
};

const LABELS: Readonly<Record<string, string>> = {
  not_tls: "No TLS",
  tls_failed: "TLS failed",
  ok: "OK",
};

export const statusLabel = (status: string): string =>
  LABELS[status] ?? status.charAt(0).toUpperCase() + status.slice(1).replaceAll("_", " ");

export const statusTone = (status: string): Tone => TONES[status] ?? "idle";

export function Status({ value }: { value: string }) {
  return value ? <Badge tone={statusTone(value)}>{statusLabel(value)}</Badge> : <span className="muted">—</span>;
}
