/**
 * Passkeys (WebAuthn, level 3): the hub's options and the browser's answers are JSON on both sides, so this
 * only hands them over. Browsers without these calls are older than 2025 and are told so.
 */

import { Problem } from "./problem";

type Options = Readonly<Record<string, unknown>>;

export const passkeysSupported = (): boolean =>
  typeof PublicKeyCredential !== "undefined" && "parseRequestOptionsFromJSON" in PublicKeyCredential;

/** Browsers don't say whether somebody pressed "cancel", waited too long, or has no passkey here. */
const notDone = (): Problem =>
  new Problem(
    {
      title: "No passkey was used",
      detail: "It was cancelled, took too long, or there is no suitable passkey on this device.",
      code: "passkey_cancelled",
    },
    0,
  );

async function answerOf(asked: Promise<Credential | null>): Promise<unknown> {
  try {
    const credential = await asked;
    if (credential instanceof PublicKeyCredential) return credential.toJSON();
  } catch (error) {
    if (error instanceof DOMException && error.name === "InvalidStateError") {
      throw new Problem({ title: "This device is registered already", code: "passkey_taken" }, 0);
    }
    if (!(error instanceof DOMException)) throw error;
  }
  throw notDone();
}

/** Show a passkey that exists. */
export function showPasskey(options: Options): Promise<unknown> {
  const json = options as unknown as PublicKeyCredentialRequestOptionsJSON;
  return answerOf(navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(json) }));
}

/** Make a new passkey. */
export function makePasskey(options: Options): Promise<unknown> {
  const json = options as unknown as PublicKeyCredentialCreationOptionsJSON;
  return answerOf(navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(json) }));
}
