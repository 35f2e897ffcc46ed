import type { Certificate } from "../../api/types";
import { Empty } from "../../components/Empty";
import { Panel } from "../../components/Panel";
import { Time } from "../../components/Time";
import { eventWords } from "./vocabulary";

/** What the page shows anyway, or what means nothing to people. */
const HIDDEN = new Set(["status", "common_name", "agent_id", "not_after", "organization_id", "install_state"]);

/** What an event says beyond its name, in short. */
function detailsOf(data: Record<string, unknown>): string {
  return Object.entries(data)
    .filter(([name, value]) => !HIDDEN.has(name) && ["string", "number"].includes(typeof value) && value !== "")
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${String(value)}`)
    .join(" · ");
}

/** What happened, the latest first. */
export function HistoryTab({ certificate }: { certificate: Certificate }) {
  const events = [...certificate.events].sort((a, b) => b.id - a.id);
  return (
    <Panel title="History">
      {events.length === 0 && <Empty title="Nothing has happened yet" />}
      <ol className="timeline">
        {events.map((event) => (
          <li key={event.id} className="timeline-item">
            <div>
              <strong>{eventWords(event.kind)}</strong>
              <div className="small muted breakable">{detailsOf(event.data)}</div>
            </div>
            <Time value={event.at} />
          </li>
        ))}
      </ol>
    </Panel>
  );
}
