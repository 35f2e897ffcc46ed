import { useQuery } from "@tanstack/react-query";

import { useAgents } from "../../api/choices";
import { get } from "../../api/client";
import type { DcvHistory } from "../../api/types";
import { Badge, type Tone } from "../../components/Badge";
import { Empty } from "../../components/Empty";
import { Loaded } from "../../components/Loaded";
import { PlainTable } from "../../components/PlainTable";
import { Time } from "../../components/Time";
import { useMethodWords } from "./methods";

type Attempt = DcvHistory["items"][number];
type Sighting = Attempt["sightings"][number];

const ATTEMPTS: Readonly<Record<Attempt["challenge"]["state"], readonly [Tone, string]>> = {
  open: ["info", "Under way"],
  proved: ["ok", "Control shown"],
  lapsed: ["bad", "Ran out"],
  cancelled: ["idle", "Cancelled"],
  superseded: ["idle", "Begun anew"],
};

const VOTES: Readonly<Record<Sighting["vote"], readonly [Tone, string]>> = {
  waiting: ["warn", "Waiting"],
  confirmed: ["ok", "Confirmed"],
  disagreed: ["bad", "Disagreed"],
};

function Vantage({ name }: { name: string }) {
  const agents = useAgents();
  if (name === "hub") return <>This hub</>;
  return <>{agents.data?.find((agent) => agent.id === name)?.name ?? `Agent ${name.slice(0, 8)}`}</>;
}

function Vote({ vote }: { vote: Sighting["vote"] }) {
  const [tone, label] = VOTES[vote];
  return <Badge tone={tone}>{label}</Badge>;
}

const COLUMNS = [
  { label: "Seen from", cell: (row: Sighting) => <Vantage name={row.vantage} /> },
  { label: "Result", cell: (row: Sighting) => <Vote vote={row.vote} /> },
  { label: "Message", cell: (row: Sighting) => row.message },
  { label: "Time", cell: (row: Sighting) => <Time value={row.at} /> },
];

const rowKey = (row: Sighting) => row.vantage;

function AttemptItem({ attempt }: { attempt: Attempt }) {
  const words = useMethodWords();
  const { challenge, sightings } = attempt;
  const [tone, label] = ATTEMPTS[challenge.state];
  return (
    <div className="stack-s">
      <PlainTable
        title={words(challenge.method)}
        rows={sightings}
        rowKey={rowKey}
        columns={COLUMNS}
        empty={challenge.message || "Nobody has looked yet."}
        actions={
          <>
            <Badge tone={tone}>{label}</Badge>
            <Time value={challenge.started_at} />
          </>
        }
      />
      <p className="muted small">
        Started by {challenge.started_by}
        {challenge.automatic && ", automatically"}.
      </p>
    </div>
  );
}

/** Attempts, and what each vantage point saw in the last round. */
export function HistoryTab({ id }: { id: number }) {
  const query = useQuery({
    queryKey: ["dcv", "history", id],
    queryFn: ({ signal }) => get<DcvHistory>(`/dcv/${id}/history`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty title="No attempts yet" icon="clock" />
        ) : (
          <div className="stack">
            {items.map((attempt) => (
              <AttemptItem key={attempt.challenge.id} attempt={attempt} />
            ))}
          </div>
        )
      }
    </Loaded>
  );
}
