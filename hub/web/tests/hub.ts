/** A hub for tests: answers fetch calls from a table and remembers what it was asked. */

import { vi } from "vitest";

type Answer = (request: { url: URL; body: unknown }) => Response | Promise<Response>;

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": status < 400 ? "application/json" : "application/problem+json", ...headers },
  });

export const page = (items: unknown[], more: { next_cursor?: string; total?: number; total_exact?: boolean } = {}) =>
  json({ items, next_cursor: null, total: items.length, total_exact: true, ...more });

export const problem = (status: number, detail: string, errors: unknown[] = []): Response =>
  json({ title: "Against policy", status, detail, code: "policy", errors, request_id: "0123abcd" }, status);

export interface FakeHub {
  /** "GET /agents?limit=…", in order. */
  calls: string[];
  bodies: unknown[];
  headers: Headers[];
  on: (method: string, path: string, answer: Answer) => void;
}

export function fakeHub(): FakeHub {
  const answers = new Map<string, Answer>();
  const hub: FakeHub = {
    calls: [],
    bodies: [],
    headers: [],
    on: (method, path, answer) => {
      answers.set(`${method} ${path}`, answer);
    },
  };
  vi.stubGlobal("fetch", async (input: string, init: RequestInit) => {
    const url = new URL(input, "https://hub.example");
    const path = url.pathname.replace("/api/v1", "");
    const method = init.method ?? "GET";
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    hub.calls.push(`${method} ${path}${url.search}`);
    hub.bodies.push(body);
    hub.headers.push(new Headers(init.headers));
    const answer = answers.get(`${method} ${path}`);
    return answer ? answer({ url, body }) : problem(404, `no answer for ${method} ${path}`);
  });
  return hub;
}

export const SESSION = {
  administrator_id: 1,
  name: "Ada Admin",
  kind: "administrator",
  grants: [{ role: "MRAO", organization_id: null, department_id: null, certificate_types: [] }],
  actions: [
    "certificates.view",
    "certificates.request",
    "certificates.approve",
    "certificates.decline",
    "certificates.revoke",
    "agents.view",
    "commands.view",
    "discovery.view",
    "ca_backends.view",
    "ca_backends.edit",
  ],
  csrf_token: "the-csrf-token",
};
