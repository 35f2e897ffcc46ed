/**
 * The hub's event stream (server-sent events) and what each event makes stale.
 *
 * The hub ends a stream every two minutes so that rights are checked again; the browser comes back by itself
 * with the last id it saw and misses nothing. Only what stays away longer is shown as offline.
 */

import type { QueryClient, QueryKey } from "@tanstack/react-query";

import { apiUrl } from "./client";

export interface HubEvent {
  kind: string;
  at: string;
  object_type: string;
  object_id: string;
  organization_id: number | null;
  data: Record<string, unknown>;
}

export type LiveState = "connecting" | "live" | "offline";

/** Object type of an event -> first parts of the query keys that it touches. */
const TOUCHES: Readonly<Record<string, readonly string[]>> = {
  certificate: ["certificates", "renewals", "dashboard", "audit"],
  // A token is spent by an agent that enrolls.
  agent: ["agents", "enrollment-tokens", "dashboard", "audit"],
  agent_server: ["agents"],
  command: ["commands", "dashboard"],
  enrollment_token: ["enrollment-tokens", "audit"],
  discovery_task: ["discovery"],
  scan: ["discovery"],
  endpoint: ["discovery"],
  organization: ["organizations", "audit"],
  department: ["organizations", "audit"],
  domain: ["domains", "organizations", "audit"],
  profile: ["profiles", "audit"],
  compromised_key: ["compromised-keys", "audit"],
  ca_backend: ["ca-backends", "audit"],
  ca_quota: ["renewals", "audit"],
  certificate_authority: ["ca-backends"],
  administrator: ["administrators", "sessions", "audit"],
  domain_validation: ["dcv", "domains", "audit"],
  dns_writer: ["dcv", "audit"],
  person: ["persons", "audit"],
  custom_field: ["custom-fields", "audit"],
  access_rules: ["access", "audit"],
  sign_in_policy: ["access", "audit"],
  identity_provider: ["access", "audit"],
  renewal_freeze: ["renewals", "audit"],
  maintenance_window: ["renewals", "audit"],
  settings: ["settings", "audit"],
  api_token: ["api-tokens", "audit"],
};

const PAGES_REFETCHED = 3;

export const rootsOf = (event: HubEvent): readonly string[] => TOUCHES[event.object_type] ?? ["audit"];

/** A long list that somebody has scrolled through is only marked: reading it all again would be costly. */
export function isLongList(data: unknown): boolean {
  const pages = (data as { pages?: unknown[] } | undefined)?.pages;
  return Array.isArray(pages) && pages.length > PAGES_REFETCHED;
}

export async function invalidateRoots(client: QueryClient, roots: ReadonlySet<string>): Promise<void> {
  const touched = (key: QueryKey) => roots.has(String(key[0]));
  await Promise.all([
    client.invalidateQueries({
      predicate: (query) => touched(query.queryKey) && !isLongList(query.state.data),
    }),
    client.invalidateQueries({
      predicate: (query) => touched(query.queryKey) && isLongList(query.state.data),
      refetchType: "none",
    }),
  ]);
}

const SOON_MS = 250;
/** Figures and the log are costly to read or seldom looked at: they may be a little behind. */
const LATER_MS: Readonly<Record<string, number>> = { dashboard: 2000, audit: 2000 };

/** Gathers events for a moment, so that a thousand finds of a scan cause one read and not a thousand. */
export class Invalidator {
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(private readonly client: QueryClient) {}

  add(roots: readonly string[]): void {
    for (const root of roots) {
      if (this.timers.has(root)) continue;
      const flush = () => {
        this.timers.delete(root);
        void invalidateRoots(this.client, new Set([root]));
      };
      this.timers.set(root, setTimeout(flush, LATER_MS[root] ?? SOON_MS));
    }
  }

  stop(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }
}

type CommandPages = { pages: { items: { id: string }[] }[] } | undefined;

/** Shows a command's progress at once, without asking the hub; whether the event was one. */
export function patchProgress(client: QueryClient, event: HubEvent): boolean {
  const { share, message } = event.data;
  if (event.kind !== "CommandProgressed" || typeof share !== "number") return false;
  const id = event.object_id;
  const changes = { progress_share: share, progress_message: typeof message === "string" ? message : "" };
  client.setQueryData(["commands", "one", id], (old: object | undefined) => old && { ...old, ...changes });
  client.setQueriesData({ queryKey: ["commands", "list"] }, (old: CommandPages) => {
    if (!old?.pages.some((page) => page.items.some((item) => item.id === id))) return old;
    const pages = old.pages.map((page) => ({
      ...page,
      items: page.items.map((item) => (item.id === id ? { ...item, ...changes } : item)),
    }));
    return { ...old, pages };
  });
  return true;
}

export interface StreamHandlers {
  onEvent: (event: HubEvent) => void;
  onState: (state: LiveState) => void;
  /** The stream was away for good and starts anew: anything may have been missed. */
  onGap: () => void;
  /** The stream was refused; perhaps the session has ended. */
  onRefused: () => void;
}

const OFFLINE_AFTER_MS = 4000;
const RETRY_MS = 5000;

export function openStream(handlers: StreamHandlers): () => void {
  let source: EventSource | null = null;
  let offline: ReturnType<typeof setTimeout> | null = null;
  let retry: ReturnType<typeof setTimeout> | null = null;
  let hadGap = false;

  const connect = () => {
    source = new EventSource(apiUrl("/events"));
    source.onopen = () => {
      if (offline !== null) clearTimeout(offline);
      offline = null;
      handlers.onState("live");
      if (hadGap) handlers.onGap();
      hadGap = false;
    };
    source.onmessage = (message: MessageEvent<string>) => {
      handlers.onEvent(JSON.parse(message.data) as HubEvent);
    };
    source.onerror = () => {
      offline ??= setTimeout(() => {
        handlers.onState("offline");
      }, OFFLINE_AFTER_MS);
      if (source?.readyState !== EventSource.CLOSED) return;
      // The browser gave up: an error status. It would not try again by itself.
      hadGap = true;
      handlers.onRefused();
      retry = setTimeout(connect, RETRY_MS);
    };
  };

  handlers.onState("connecting");
  connect();
  return () => {
    source?.close();
    if (offline !== null) clearTimeout(offline);
    if (retry !== null) clearTimeout(retry);
  };
}
