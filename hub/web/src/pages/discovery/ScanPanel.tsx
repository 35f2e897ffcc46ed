import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { get } from "../../api/client";
import type { Scan } from "../../api/types";
import { Status } from "../../components/Badge";
import { Loaded } from "../../components/Loaded";
import { Panel } from "../../components/Panel";
import { Progress } from "../../components/Progress";
import { Time } from "../../components/Time";
import { isRunning } from "./vocabulary";

export function useScan(id: string) {
  return useQuery({
    queryKey: ["discovery", "scan", id],
    queryFn: ({ signal }) => get<Scan>(`/discovery/scans/${id}`, {}, signal),
  });
}

function Figure({ label, value }: { label: string; value: number }) {
  return (
    <div className="summary-item">
      <dt>{label}</dt>
      <dd className="num">{value.toLocaleString("en")}</dd>
    </div>
  );
}

export function ScanFigures({ scan }: { scan: Scan }) {
  return (
    <dl className="summary">
      <Figure label="Endpoints" value={scan.endpoints_found} />
      <Figure label="Certificates" value={scan.certificates_found} />
      <Figure label="New certificates" value={scan.certificates_new} />
      <Figure label="Changed on their port" value={scan.rotations} />
      <Figure label="No longer there" value={scan.disappeared} />
      <Figure label="Open ports" value={scan.open_ports} />
      <Figure label="Closed" value={scan.closed_ports} />
      <Figure label="Silent" value={scan.silent_ports} />
    </dl>
  );
}

/** How far a scan is and what it has found; events keep it true while it runs. */
export function ScanPanel({ id, title, linked = false }: { id: string; title: string; linked?: boolean }) {
  const query = useScan(id);
  return (
    <Loaded query={query}>
      {(scan) => (
        <Panel
          flush
          title={linked ? <Link to={`/discovery/scans/${scan.id}`}>{title}</Link> : title}
          actions={<Status value={scan.state} />}
        >
          {isRunning(scan.state) && (
            <div className="panel-body stack-s">
              <Progress share={scan.progress} label="Progress of the scan" />
              <p className="muted small num">
                {scan.targets_total > 0 &&
                  `${scan.targets_done.toLocaleString("en")} of ${scan.targets_total.toLocaleString("en")} targets. `}
                {scan.progress_message || (scan.state === "Queued" ? "Waits for the agent." : "")}
              </p>
            </div>
          )}
          {scan.message && (
            <p className="panel-body tone-bad">
              <strong>{scan.reason}</strong> {scan.message}
            </p>
          )}
          <ScanFigures scan={scan} />
          <p className="panel-foot muted small">
            Started by {scan.requested_by} <Time value={scan.started_at} />
            {scan.finished_at && (
              <>
                , finished <Time value={scan.finished_at} />
              </>
            )}
          </p>
        </Panel>
      )}
    </Loaded>
  );
}
