/** The words of certificates: statuses, methods, formats, reasons. */

import type { CertificateRequest, DownloadFormat, RevocationReason } from "../../api/types";

export const STATUSES = [
  "Requested",
  "Declined",
  "Approved",
  "Applied",
  "Rejected",
  "Invalid",
  "Issued",
  "Downloaded",
  "Expired",
  "Revoked",
  "Replaced",
  "External",
  "Unmanaged",
] as const;

/** The hub's words at the beginning of a line. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Nobody needs to worry about their expiry any more. */
export const isOver = (status: string): boolean => ["Expired", "Revoked", "Replaced"].includes(status);

/** Places where a certificate can be, and who has seen it there. */
export const LOCATION_KINDS: Readonly<Record<string, string>> = {
  custom: "Custom",
  network_host: "Network host",
  network_agent: "Network agent",
  server_node: "Server node and port",
  private_key_agent: "Private key store",
  acme_client: "ACME client",
  key_vault: "Key vault",
  ad_entry: "Active Directory entry",
};

export type Method = CertificateRequest["method"];

interface MethodWords {
  short: string;
  title: string;
  text: string;
}

export const METHODS: Readonly<Record<string, MethodWords>> = {
  csr: {
    short: "CSR",
    title: "With a signing request",
    text: "You have made a key yourself and bring its certificate signing request (CSR).",
  },
  pks: {
    short: "Key store",
    title: "Key made in the private key store",
    text: "A private key store agent in your network makes the key and keeps it; it never leaves it in the clear.",
  },
  auto_install: {
    short: "Auto-installation",
    title: "Made and installed on servers",
    text: "An agent makes the key, on the target or in the private key store, and the certificate is installed on the servers you choose.",
  },
};

export const KEY_LOCATIONS: Readonly<Record<string, string>> = { pks: "Key store", target: "On target" };

/** In the order in which people look for them; each with the ending of its file. */
export const DOWNLOADS: readonly { format: DownloadFormat; label: string }[] = [
  { format: "x509CO", label: "Certificate only, PEM" },
  { format: "pemia", label: "Certificate and intermediates, PEM" },
  { format: "x509", label: "Chain, root first, PEM" },
  { format: "bin", label: "PKCS #7, binary" },
  { format: "base64", label: "PKCS #7, PEM" },
  { format: "x509IOR", label: "Intermediates and root, PEM" },
  { format: "x509IO", label: "Root and intermediates, PEM" },
];

export const REVOCATION_REASONS: readonly { value: RevocationReason; label: string }[] = [
  { value: "unspecified", label: "Unspecified" },
  { value: "keyCompromise", label: "Key compromise: somebody else may have the private key" },
  { value: "superseded", label: "Superseded: a new certificate has taken its place" },
  { value: "cessationOfOperation", label: "Cessation of operation: the service is gone" },
  { value: "affiliationChanged", label: "Affiliation changed: the subject's details are no longer right" },
  { value: "privilegeWithdrawn", label: "Privilege withdrawn" },
  { value: "certificateHold", label: "Certificate hold: suspended for now" },
  { value: "cACompromise", label: "CA compromise: the issuing CA's key is not safe" },
  { value: "aACompromise", label: "AA compromise: the attribute authority's key is not safe" },
];

const EVENT_WORDS: Readonly<Record<string, string>> = {
  CertificateRequested: "Requested",
  CertificateKeyGenerated: "Private key and CSR made",
  CertificateApproved: "Approved",
  CertificateDeclined: "Declined",
  CertificateApplied: "Ordered from the CA",
  CertificateIssued: "Issued",
  CertificateDownloaded: "Downloaded",
  CertificateExpired: "Expired",
  CertificateRevoked: "Revoked",
  CertificateReplaced: "Replaced by a newer one",
  CertificateRejected: "Rejected by the CA",
  CertificateInvalid: "Could not go on",
  CertificateDiscovered: "Discovered",
  CertificateApprovalRecorded: "First approval given",
  CertificateEdited: "Request edited",
  CertificateResubmitted: "Asked again",
  CertificateOwnershipChanged: "Moved to another owner",
  CertificateAnnotated: "Comments or fields changed",
  CertificateNotificationsSuspended: "Notifications suspended",
  CertificateNotificationsResumed: "Notifications resumed",
  CertificateStored: "Stored with its key",
  CertificateAssigned: "Assigned",
  CertificateNoteAdded: "Note added",
  CertificateLocationAdded: "Location added",
  CertificateLocationRemoved: "Location removed",
  KeyDownloadRequested: "Private key asked for",
  KeyDownloadReady: "Private key sealed by its agent",
  KeyDownloaded: "Private key fetched",
};

/** `InstallationStarted` becomes "Installation started" where there are no better words. */
export function eventWords(kind: string): string {
  const spaced = kind.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return EVENT_WORDS[kind] ?? spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
