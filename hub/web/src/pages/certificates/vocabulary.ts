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

/** Nobody needs to worry about their expiry any more. */
export const isOver = (status: string): boolean => ["Expired", "Revoked", "Replaced"].includes(status);

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

export const DOWNLOADS: readonly { format: DownloadFormat; label: string }[] = [
  { format: "pemia", label: "Certificate and intermediates, PEM" },
  { format: "x509CO", label: "Certificate only, PEM" },
  { format: "x509", label: "Chain, root first, PEM" },
  { format: "base64", label: "PKCS #7, PEM" },
  { format: "bin", label: "PKCS #7, binary" },
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
};

/** `InstallationStarted` becomes "Installation started" where there are no better words. */
export function eventWords(kind: string): string {
  const spaced = kind.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return EVENT_WORDS[kind] ?? spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
