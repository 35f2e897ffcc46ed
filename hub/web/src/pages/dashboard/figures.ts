/** The dashboard's figures: those of certificates in one request, those of agents counted by their lists. */

import { get } from "../../api/client";
import { type Filter, listQuery, type Page } from "../../api/lists";

export interface Figure {
  count: number;
  /** False: there are more than this. */
  exact: boolean;
}

export interface FleetFigures {
  agentsOffline: Figure | null;
  commandsFailed: Figure | null;
}

const WEEK_MS = 7 * 86_400_000;

async function count(path: string, filters: readonly Filter[], signal: AbortSignal): Promise<Figure> {
  const page = await get<Page<unknown>>(path, { ...listQuery({ filters }), limit: 1 }, signal);
  return { count: page.total, exact: page.total_exact };
}

export async function fetchFleetFigures(
  now: number,
  may: { agents: boolean; commands: boolean },
  signal: AbortSignal,
): Promise<FleetFigures> {
  const offline: Filter[] = [
    { column: "status", op: "eq", value: "active" },
    { column: "connected", op: "eq", value: "false" },
  ];
  const failed: Filter[] = [
    { column: "state", op: "in", value: "failed,expired" },
    { column: "created_at", op: "ge", value: new Date(now - WEEK_MS).toISOString() },
  ];
  const [agentsOffline, commandsFailed] = await Promise.all([
    may.agents ? count("/agents", offline, signal) : null,
    may.commands ? count("/commands", failed, signal) : null,
  ]);
  return { agentsOffline, commandsFailed };
}

/** Where a list shows just what a figure counts. */
export function listOf(path: string, filters: readonly string[], sort = ""): string {
  const search = new URLSearchParams(filters.map((filter) => ["filter", filter]));
  if (sort) search.set("sort", sort);
  return `${path}?${search.toString()}`;
}

export const number = (value: number): string => value.toLocaleString("en");
