/** The few figures that matter, counted by the lists themselves, so that everybody sees those of their scope. */

import { get } from "../../api/client";
import { type Filter, listQuery, type Page } from "../../api/lists";
import { CERTIFICATE_VIEWS } from "../certificates/columns";
import { STATUSES } from "../certificates/vocabulary";

export interface Figure {
  count: number;
  /** False: there are more than this. */
  exact: boolean;
}

export interface StatusFigure {
  status: string;
  figure: Figure;
}

export interface Figures {
  waiting: Figure;
  expiring7: Figure;
  expiring30: Figure;
  expiring47: Figure;
  agentsOffline: Figure | null;
  commandsFailed: Figure | null;
  byStatus: StatusFigure[];
}

const WEEK_MS = 7 * 86_400_000;

async function count(path: string, filters: readonly Filter[], signal: AbortSignal): Promise<Figure> {
  const page = await get<Page<unknown>>(path, { ...listQuery({ filters }), limit: 1 }, signal);
  return { count: page.total, exact: page.total_exact };
}

export async function fetchFigures(
  now: number,
  may: { agents: boolean; commands: boolean },
  signal: AbortSignal,
): Promise<Figures> {
  const view = (id: string) =>
    count("/certificates", CERTIFICATE_VIEWS.find((item) => item.id === id)?.filters(now) ?? [], signal);
  const ofStatus = async (status: string): Promise<StatusFigure> => ({
    status,
    figure: await count("/certificates", [{ column: "status", op: "eq", value: status }], signal),
  });
  const offline: Filter[] = [
    { column: "status", op: "eq", value: "active" },
    { column: "connected", op: "eq", value: "false" },
  ];
  const failed: Filter[] = [
    { column: "state", op: "in", value: "failed,expired" },
    { column: "created_at", op: "ge", value: new Date(now - WEEK_MS).toISOString() },
  ];
  const [waiting, expiring7, expiring30, expiring47, agentsOffline, commandsFailed, byStatus] = await Promise.all([
    view("waiting"),
    view("expiring-7"),
    view("expiring-30"),
    view("expiring-47"),
    may.agents ? count("/agents", offline, signal) : null,
    may.commands ? count("/commands", failed, signal) : null,
    Promise.all(STATUSES.map(ofStatus)),
  ]);
  const present = byStatus.filter((row) => row.figure.count > 0).sort((a, b) => b.figure.count - a.figure.count);
  return { waiting, expiring7, expiring30, expiring47, agentsOffline, commandsFailed, byStatus: present };
}
