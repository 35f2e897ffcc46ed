/** What can be done to a selection of certificates. */

import type { CertificateRow } from "../../../api/types";
import type { BulkAction } from "../types";

export interface BulkWords {
  action: BulkAction;
  label: string;
  /** Title of the dialog and its button. */
  title: string;
  right: string;
  /** On which certificates it makes sense; the hub has the last word on each. */
  fits: (row: CertificateRow) => boolean;
  /** What it does, where that needs saying. */
  text?: string;
  danger?: boolean;
}

const within =
  (...statuses: string[]) =>
  (row: CertificateRow): boolean =>
    statuses.includes(row.status);

const live = within("Issued", "Downloaded");
const found = within("External", "Unmanaged");
const underWay = within("Requested", "Approved", "Applied");
const over = within("Revoked", "Replaced", "Expired", "Declined", "Rejected", "Invalid");

/** Beside the filters. */
export const MAIN: readonly BulkWords[] = [
  { action: "approve", label: "Approve", title: "Approve requests", right: "certificates.approve", fits: within("Requested", "Declined") },
  { action: "decline", label: "Decline", title: "Decline requests", right: "certificates.decline", fits: within("Requested", "Approved") },
  {
    action: "renew",
    label: "Renew",
    title: "Renew certificates",
    right: "certificates.renew",
    fits: (row) => row.method !== "" && !underWay(row),
    text: "A successor of each is requested with the same key pair and details.",
  },
  {
    action: "install",
    label: "Install",
    title: "Install certificates",
    right: "certificates.install",
    fits: (row) => live(row) && (row.private_key !== "" || row.install_state !== "Not Scheduled"),
    text: "Each is put on its nodes now, whatever its schedule says.",
  },
  {
    action: "revoke",
    label: "Revoke",
    title: "Revoke certificates",
    right: "certificates.revoke",
    fits: live,
    text: "Revoking can't be undone: clients that check will refuse these certificates.",
    danger: true,
  },
];

/** In the menu. */
export const MORE: readonly BulkWords[] = [
  {
    action: "enable_auto_renew",
    label: "Switch auto-renewal on…",
    title: "Switch auto-renewal on",
    right: "certificates.renew",
    fits: (row) => row.method !== "" && !over(row),
  },
  {
    action: "disable_auto_renew",
    label: "Switch auto-renewal off…",
    title: "Switch auto-renewal off",
    right: "certificates.renew",
    fits: (row) => !over(row),
    text: "They are no longer renewed by themselves: somebody has to, in time.",
  },
  {
    action: "suspend_notifications",
    label: "Suspend notifications…",
    title: "Suspend notifications",
    right: "certificates.edit",
    fits: (row) => !row.notifications_suspended,
    text: "Nobody is told anything about these certificates, not even that they expire.",
  },
  {
    action: "resume_notifications",
    label: "Resume notifications…",
    title: "Resume notifications",
    right: "certificates.edit",
    fits: (row) => row.notifications_suspended,
    text: "Notifications about these certificates go out again.",
  },
  {
    action: "assign",
    label: "Assign…",
    title: "Assign certificates",
    right: "certificates.edit",
    fits: found,
    text: "Found certificates become those of an organization.",
  },
  {
    action: "move",
    label: "Move to another owner…",
    title: "Move certificates",
    right: "certificates.edit",
    fits: (row) => row.organization_id !== null,
    text: "Names of certificates that were issued here have to be delegated to the new owner.",
  },
  {
    action: "delete",
    label: "Delete…",
    title: "Delete certificates",
    right: "certificates.delete",
    fits: found,
    text: "They are taken off the list. Servers go on using them; a scan that sees them again lists them anew.",
    danger: true,
  },
];
