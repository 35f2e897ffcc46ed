import { Link } from "react-router";

import type { CertificateCommand } from "../../api/types";
import { Status } from "../../components/Badge";
import { PlainTable } from "../../components/PlainTable";
import { Time } from "../../components/Time";
import { AgentLink } from "../agents/AgentLink";
import { commandWords } from "../agents/vocabulary";

export function CertificateCommands({ commands }: { commands: readonly CertificateCommand[] }) {
  return (
    <PlainTable
      title="Commands to agents"
      empty="No agent has been asked to do anything for this certificate."
      rows={commands}
      rowKey={(command) => command.command_id}
      columns={[
        {
          label: "Command",
          cell: (command) => <Link to={`/commands/${command.command_id}`}>{commandWords(command.kind)}</Link>,
        },
        { label: "Agent", cell: (command) => <AgentLink name={command.agent} id={command.agent_id} /> },
        { label: "Status", cell: (command) => <Status value={command.outcome || "In Progress"} /> },
        { label: "Date", cell: (command) => <Time value={command.created_at} /> },
        {
          label: "Message",
          cell: (command) => (
            <span className="breakable">{[command.reason, command.message].filter(Boolean).join(": ")}</span>
          ),
        },
      ]}
    />
  );
}
