import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { get } from "../../api/client";
import type { Command } from "../../api/types";
import { Icon } from "../../components/Icon";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { Progress } from "../../components/Progress";
import { duration } from "../../components/time";
import { Time } from "../../components/Time";
import { Status } from "../../components/Badge";
import { AgentLink } from "./AgentLink";
import { CommandActions } from "./CommandActions";
import { SubjectLink } from "./SubjectLink";
import { ValueTree } from "./ValueTree";
import { commandWords, OPEN_STATES, timelineWords } from "./vocabulary";

function Outcome({ command }: { command: Command }) {
  if (command.failure_reason) {
    return (
      <div className="notice" data-tone="bad">
        <Icon name="error" className="tone-bad" />
        <div>
          <strong>{command.failure_reason}</strong>
          <p>{command.failure_message}</p>
          {command.failure_retryable && <p className="small">Trying again may help.</p>}
        </div>
      </div>
    );
  }
  if (!OPEN_STATES.includes(command.state)) return null;
  return (
    <div className="panel panel-body stack-s">
      <Progress share={command.state === "accepted" ? command.progress_share : 0} label="Progress" />
      <p className="muted small">
        {command.progress_message ||
          (command.state === "queued" ? "Waits for its agent." : "The agent works on it.")}
      </p>
    </div>
  );
}

function Timeline({ command }: { command: Command }) {
  return (
    <Panel title="Time span">
      <ol className="timeline">
        {command.timeline.map((entry) => (
          <li key={`${entry.what}${entry.at}`} className="timeline-item">
            <span>{timelineWords(entry.what)}</span>
            <Time value={entry.at} />
          </li>
        ))}
      </ol>
    </Panel>
  );
}

const took = (command: Command): string | null =>
  command.finished_at ? duration(Date.parse(command.finished_at) - Date.parse(command.created_at)) : null;

export function CommandPage() {
  const { id = "" } = useParams();
  const query = useQuery({
    queryKey: ["commands", "one", id],
    queryFn: ({ signal }) => get<Command>(`/commands/${id}`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(command) => (
        <>
          <PageHeader
            title={commandWords(command.kind)}
            aside={<Status value={command.state_name} />}
            actions={<CommandActions command={command} />}
          >
            <AgentLink name={command.agent_name} id={command.agent_id} />
          </PageHeader>
          <Outcome command={command} />
          <div className="columns">
            <div className="stack">
              <Panel title="Command">
                <Facts
                  items={[
                    ["Requested by", command.requested_by],
                    ["For", <SubjectLink key="for" type={command.subject_type} id={command.subject_id} />],
                    ["Attempt", `${command.attempt} of ${command.max_attempts}`],
                    ["Took", took(command)],
                    ["Outcome not taken", command.outcome_error],
                  ]}
                />
              </Panel>
              <Timeline command={command} />
            </div>
            <div className="stack">
              <Panel title="What was asked">
                <ValueTree value={command.body} />
              </Panel>
              {command.result && (
                <Panel title="Result">
                  <ValueTree value={command.result} />
                </Panel>
              )}
            </div>
          </div>
        </>
      )}
    </Loaded>
  );
}
