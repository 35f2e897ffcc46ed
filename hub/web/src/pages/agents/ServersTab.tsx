import { useMutation, useQueryClient } from "@tanstack/react-query";

import { useServers } from "../../api/choices";
import { post } from "../../api/client";
import { useMay } from "../../api/session";
import type { Agent, Server, ServerNode } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Empty } from "../../components/Empty";
import { Loaded } from "../../components/Loaded";
import { PlainTable } from "../../components/PlainTable";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Time } from "../../components/Time";
import { useToast } from "../../components/toasts";

function Ports({ node }: { node: ServerNode }) {
  return (
    <span className="tags">
      {node.ports.map((port) => (
        <span
          key={`${port.address}:${port.port}`}
          className="tag mono"
          title={port.certificate_sha256 ? `Serves ${port.certificate_sha256}` : "Serves no certificate"}
        >
          {port.address}:{port.port} {port.protocol}
        </span>
      ))}
    </span>
  );
}

function NodeState({ node }: { node: ServerNode }) {
  if (node.lost_at) return <Badge tone="warn">No longer reported</Badge>;
  if (node.manageable) return <Badge tone="ok">Manageable</Badge>;
  return (
    <>
      <Badge tone="bad">Not manageable</Badge> <span className="small">{node.problem}</span>
    </>
  );
}

function Files({ node }: { node: ServerNode }) {
  return (
    <div className="mono small breakable">
      <div title="Configuration">{node.location}</div>
      <div title="Certificate" className="muted">
        {node.certificate_path}
      </div>
    </div>
  );
}

const presentFirst = (a: ServerNode, b: ServerNode) => Number(a.lost_at !== null) - Number(b.lost_at !== null);

function ServerPanel({ server }: { server: Server }) {
  return (
    <PlainTable
      title={[server.name, server.version || server.kind].filter(Boolean).join(" · ")}
      actions={server.lost_at ? <Badge tone="warn">No longer reported</Badge> : undefined}
      empty={server.problem || "The server has no nodes."}
      rows={[...server.nodes].sort(presentFirst)}
      rowKey={(node) => node.node_id}
      columns={[
        { label: "Names", cell: (node) => <strong>{node.names.join(", ") || node.node_id}</strong> },
        { label: "Ports", cell: (node) => <Ports node={node} /> },
        { label: "State", cell: (node) => <NodeState node={node} /> },
        { label: "Files", cell: (node) => <Files node={node} /> },
        { label: "Last seen", cell: (node) => <Time value={node.last_seen_at} show="relative" /> },
      ]}
    />
  );
}

export function ServersTab({ agent }: { agent: Agent }) {
  const may = useMay();
  const toast = useToast();
  const client = useQueryClient();
  const servers = useServers(agent.id);
  const refresh = useMutation({
    mutationFn: () => post(`/agents/${agent.id}/discover-servers`),
    onSuccess: async () => {
      toast("The agent was asked to look at its servers again");
      await client.invalidateQueries({ queryKey: ["commands"] });
    },
  });
  return (
    <div className="stack">
      {may("commands.edit") && agent.status === "active" && agent.kind === "network" && (
        <div className="row">
          <Button
            icon="refresh"
            busy={refresh.isPending}
            onClick={() => {
              refresh.mutate();
            }}
          >
            Look for servers again
          </Button>
        </div>
      )}
      <ProblemNotice error={refresh.error} />
      <Loaded query={servers}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No servers reported" icon="endpoint">
              The agent reports the web servers that its own policy lets it manage.
            </Empty>
          ) : (
            list.map((server) => <ServerPanel key={server.name} server={server} />)
          )
        }
      </Loaded>
    </div>
  );
}
