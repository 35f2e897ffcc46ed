/** Steps of signing in. Each answer is the next step, or the session; a cookie keeps them together. */

import { get, post } from "./client";
import type { Session, SignInEnrolled, SignInMethods, SignInStep, TotpSetup } from "./types";
import { makePasskey, showPasskey } from "./webauthn";

export type SignInAnswer = Session | SignInStep;

interface PasskeyOptions {
  public_key: Record<string, unknown>;
}

export const isSession = (answer: SignInAnswer): answer is Session => "actions" in answer;

export const signInMethods = () => get<SignInMethods>("/session/methods");

export const byPassword = (username: string, password: string) =>
  post<SignInAnswer>("/session", { username, password });

async function shown(path: string): Promise<SignInAnswer> {
  const options = await post<PasskeyOptions>(`${path}/options`);
  return post<SignInAnswer>(path, { credential: await showPasskey(options.public_key) });
}

/** A passkey alone: it says who it is, so that neither a name nor a password is needed. */
export const byPasskey = () => shown("/session/passkey");

export const bySecondPasskey = () => shown("/session/second-factor/passkey");

export const byCode = (code: string) => post<SignInAnswer>("/session/second-factor/code", { code });

export const byCertificate = () => post<SignInAnswer>("/session/certificate");

export const newPassword = (password: string) =>
  post<SignInAnswer>("/session/new-password", { new_password: password });

export const enrolTotp = () => post<TotpSetup>("/session/enrolment/totp");

export const confirmTotp = (code: string) => post<SignInEnrolled>("/session/enrolment/totp/confirm", { code });

export async function enrolPasskey(name: string): Promise<SignInEnrolled> {
  const options = await post<PasskeyOptions>("/session/enrolment/passkey/options");
  return post<SignInEnrolled>("/session/enrolment/passkey", {
    name,
    credential: await makePasskey(options.public_key),
  });
}

export const cancelSignIn = () => post("/session/cancel");

const RETURN_KEY = "certwright.return";

/** Where one wanted to go, over the way to an identity provider and back. */
export function rememberedPlace(): string {
  const place = sessionStorage.getItem(RETURN_KEY) ?? "/";
  sessionStorage.removeItem(RETURN_KEY);
  return place.startsWith("/") && !place.startsWith("//") ? place : "/";
}

export async function toProvider(provider: string): Promise<void> {
  const { redirect_url } = await post<{ redirect_url: string }>("/session/provider", { provider });
  if (location.pathname !== "/sign-in") sessionStorage.setItem(RETURN_KEY, location.pathname + location.search);
  location.assign(redirect_url);
}

export const claimProvider = (code: string) => post<SignInAnswer>("/session/provider/claim", { code });
