/** What private CAs are called in the console. */

import type { PrivateCa } from "../../../api/types";

export const STATES: Readonly<Record<PrivateCa["state"], string>> = {
  signed: "Signed",
  retired: "Retired",
  expired: "Expired",
  awaiting_signature: "Awaiting signature",
};

export const KEY_STORES: Readonly<Record<PrivateCa["key_store"], string>> = {
  software: "This hub, encrypted",
  hsm: "Hardware security module",
  offline: "Offline, elsewhere",
};

export const CEREMONIES: Readonly<Record<string, string>> = {
  PrivateCaCreated: "Made and signed",
  PrivateCaRequested: "Key and signing request made",
  PrivateCaCsrExported: "Signing request exported",
  PrivateCaRequestWithdrawn: "Signing request withdrawn",
  PrivateCaSignedElsewhere: "Signed certificate imported",
  PrivateCaRootImported: "Offline root imported",
  PrivateCaCrlImported: "CRL of an offline CA imported",
  PrivateCaRolledOver: "New key took over",
  PrivateCaTrialChanged: "Trial changed",
  PrivateCaRevoked: "Revoked",
};

/** "SHA-512 with RSA" and so on, as the wizard says it; others by their own name. */
export function signatureWords(algorithm: string): string {
  const hash = /SHA-?(256|384|512)/i.exec(algorithm);
  if (hash?.[1] === undefined) return algorithm;
  return `SHA-${hash[1]} with ${/rsa/i.test(algorithm) ? "RSA" : "ECDSA"}`;
}
