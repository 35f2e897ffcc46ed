import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link } from "react-router";

import { get } from "../../../api/client";
import { Badge, type Tone } from "../../../components/Badge";
import { Loaded } from "../../../components/Loaded";
import { Facts } from "../../../components/Panel";
import { Progress } from "../../../components/Progress";
import type { ImportRun } from "../types";

const LOOK_MS = 700;
const TONES: Readonly<Record<string, Tone>> = { Waiting: "warn", Running: "info", Finished: "ok", Failed: "bad" };

const isOver = (run: ImportRun) => run.state === "Finished" || run.state === "Failed";

function shareOf(run: ImportRun): number {
  if (isOver(run)) return 1;
  return run.files > 0 ? run.files_done / run.files : -1;
}

/** An import, read again while it runs. */
export function useImport(id: number) {
  const client = useQueryClient();
  const query = useQuery({
    queryKey: ["certificate-imports", id],
    queryFn: ({ signal }) => get<ImportRun>(`/certificates/imports/${id}`, {}, signal),
    refetchInterval: ({ state }) => (state.data && isOver(state.data) ? false : LOOK_MS),
  });
  const over = query.data ? isOver(query.data) : false;
  useEffect(() => {
    if (!over) return;
    void client.invalidateQueries({ queryKey: ["certificates"] });
    void client.invalidateQueries({ queryKey: ["certificate-import-files"] });
  }, [over, client]);
  return query;
}

/** How far it is, and the sums. */
export function ImportProgress({ id, link = true }: { id: number; link?: boolean }) {
  const query = useImport(id);
  return (
    <Loaded query={query}>
      {(run) => (
        <div className="stack">
          <div className="row" role="status">
            <Badge tone={TONES[run.state] ?? "idle"}>{run.state}</Badge>
            <span>
              {run.files_done} of {run.files} files
            </span>
            <Progress share={shareOf(run)} label="Import" />
          </div>
          {run.message && (
            <p className={run.state === "Failed" ? "tone-bad" : undefined}>{run.message}</p>
          )}
          <Facts
            items={[
              ["Archive", run.filename],
              ["Owner", [run.organization, run.department].filter(Boolean).join(", ")],
              ["New certificates", run.certificates],
              ["Imported files", run.files_imported],
              ["Known already", run.files_known],
              ["Failed", run.files_failed],
            ]}
          />
          {link && !isOver(run) && <p className="small muted">It goes on if this is closed.</p>}
          {link && <Link to={`/certificates/ssl/imports/${id}`}>What became of each file</Link>}
        </div>
      )}
    </Loaded>
  );
}
