import type { BackendRow } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Time } from "../../components/Time";

type HealthView = BackendRow["health"];

const TONES = { ok: "ok", degraded: "warn", down: "bad", unknown: "idle" } as const;
const WORDS = { ok: "OK", degraded: "Degraded", down: "Down", unknown: "Not asked yet" } as const;

/** How a backend fares, in one word. */
export function Health({ health }: { health: HealthView }) {
  const state = health?.state ?? "unknown";
  return <Badge tone={TONES[state]}>{WORDS[state]}</Badge>;
}

/** When a backend worked and failed the last time, and what it said then. */
export function HealthNotes({ health }: { health: HealthView }) {
  if (!health || health.state === "unknown") return null;
  return (
    <p className="muted">
      {health.last_success_at && (
        <>
          Worked <Time value={health.last_success_at} />.{" "}
        </>
      )}
      {health.last_failure_at && (
        <>
          Failed <Time value={health.last_failure_at} />: {health.last_error}
        </>
      )}
    </p>
  );
}
