/**
 * Calls of the hub's API with the console's session. The session is an HttpOnly cookie that this code never
 * sees; changes carry the CSRF token that came with the description of the session.
 */

import { Problem, problemOf, unreachable } from "./problem";

export const API_BASE = "/api/v1";

export type QueryValue = string | number | boolean | null | undefined | readonly string[];
export type Query = Readonly<Record<string, QueryValue>>;

/** A password, code or passkey was refused; that is no lost session. */
const PROOF_REFUSED = new Set([
  "wrong_credentials",
  "wrong_code",
  "code_already_used",
  "passkey_refused",
  "sign_in_expired",
  "no_client_certificate",
  "client_certificate_refused",
  "saml_refused",
  "oidc_refused",
]);

let csrfToken: string | null = null;
let signedOut: () => void = () => undefined;

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** What happens when the hub no longer knows the session. */
export function onSignedOut(handler: () => void): void {
  signedOut = handler;
}

export function apiUrl(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "") continue;
    for (const item of typeof value === "object" ? value : [value]) parameters.append(name, String(item));
  }
  const text = parameters.toString();
  return `${API_BASE}${path}${text ? `?${text}` : ""}`;
}

async function send(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  const form = body instanceof FormData;
  // The browser names a form's type itself, with its boundary.
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrfToken !== null) headers["X-CSRF-Token"] = csrfToken;
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      credentials: "same-origin",
      body: body === undefined ? null : form ? body : JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  const proof = PROOF_REFUSED.has(problem.code) || (method === "POST" && url === apiUrl("/session"));
  if (problem.status === 401 && !proof) signedOut();
  throw problem;
}

async function decoded<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return decoded<T>(await send("GET", apiUrl(path, query), undefined, signal));
}

/** `body` defaults to an empty object: the hub wants JSON wherever a route takes a body. */
export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  return decoded<T>(await send("POST", apiUrl(path), body));
}

/** Files with their fields, as a form. */
export async function postForm<T>(path: string, query: Query, form: FormData): Promise<T> {
  return decoded<T>(await send("POST", apiUrl(path, query), form));
}

export async function patch<T>(path: string, body: unknown): Promise<T> {
  return decoded<T>(await send("PATCH", apiUrl(path), body));
}

export async function put<T>(path: string, body: unknown): Promise<T> {
  return decoded<T>(await send("PUT", apiUrl(path), body));
}

export async function remove<T = void>(path: string): Promise<T> {
  return decoded<T>(await send("DELETE", apiUrl(path)));
}

/** Fetch a file and hand it to the browser's downloads; errors stay on the page, unlike with a plain link. */
export async function download(path: string, query?: Query): Promise<void> {
  const response = await send("GET", apiUrl(path, query));
  const blob = await response.blob();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = filenameOf(response) ?? path.split("/").pop() ?? "download";
  link.click();
  URL.revokeObjectURL(link.href);
}

function filenameOf(response: Response): string | undefined {
  return /filename="?([^";]+)"?/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
}

export { Problem };
