import { useAgents, useServers } from "../../../api/choices";
import type { AgentRow, Server, ServerNode, Target } from "../../../api/types";
import { Status } from "../../../components/Badge";
import { Button } from "../../../components/Button";
import { Empty } from "../../../components/Empty";
import { Panel } from "../../../components/Panel";
import { ProblemNotice } from "../../../components/ProblemNotice";
import type { StepProps } from "./StepProps";

const same = (a: Target, b: Target) =>
  a.agent_id === b.agent_id && a.server === b.server && a.node_id === b.node_id;

/** Nothing can be installed on what its agent no longer reports. */
const isThere = (thing: { lost_at: string | null }) => thing.lost_at === null;

interface NodeProps {
  node: ServerNode;
  target: Target;
  chosen: boolean;
  taken: boolean;
  onToggle: (target: Target) => void;
}

function NodeItem({ node, target, chosen, taken, onToggle }: NodeProps) {
  const ports = node.ports.filter(isThere);
  const obstacle = taken ? "It is there already." : node.manageable ? "" : node.problem || "The agent can't manage it.";
  return (
    <li>
      <label className="node">
        <input
          type="checkbox"
          checked={chosen}
          disabled={!chosen && obstacle !== ""}
          onChange={() => {
            onToggle(target);
          }}
        />
        <span className="node-text">
          <strong>{node.names.join(", ") || node.node_id}</strong>{" "}
          <span className="muted small">{node.location}</span>
          <span className="tags">
            {ports.map((port) => (
              <span key={`${port.address}:${port.port}`} className="tag mono">
                {port.address}:{port.port} {port.protocol}
              </span>
            ))}
          </span>
          {obstacle && <span className="field-error">{obstacle}</span>}
        </span>
      </label>
    </li>
  );
}

function ServerNodes(props: Pick<NodeProps, "onToggle"> & { agent: AgentRow; server: Server; targets: readonly Target[]; taken: readonly Target[] }) {
  const { agent, server, targets, taken, onToggle } = props;
  return (
    <div className="stack-s">
      <div className="row">
        <strong>{server.name}</strong>
        <span className="muted small">{server.version || server.kind}</span>
      </div>
      {server.problem && <p className="field-error">{server.problem}</p>}
      <ul className="node-list">
        {server.nodes.filter(isThere).map((node) => {
          const target = { agent_id: agent.id, server: server.name, node_id: node.node_id };
          return (
            <NodeItem
              key={node.node_id}
              node={node}
              target={target}
              chosen={targets.some((item) => same(item, target))}
              taken={taken.some((item) => same(item, target))}
              onToggle={onToggle}
            />
          );
        })}
      </ul>
    </div>
  );
}

function AgentNodes(props: Pick<NodeProps, "onToggle"> & { agent: AgentRow; targets: readonly Target[]; taken: readonly Target[] }) {
  const { agent } = props;
  const servers = useServers(agent.id);
  const there = servers.data?.filter(isThere);
  return (
    <Panel title={agent.name} actions={<Status value={agent.connected ? "connected" : "disconnected"} />}>
      <div className="stack">
        <ProblemNotice error={servers.error} />
        {there?.length === 0 && <p className="muted">This agent has reported no servers that it may manage.</p>}
        {there?.map((server) => (
          <ServerNodes key={server.name} server={server} {...props} />
        ))}
      </div>
    </Panel>
  );
}

interface ChoiceProps {
  organizationId: string;
  targets: readonly Target[];
  onChange: (targets: readonly Target[]) => void;
  /** Nodes that it is on already. */
  taken?: readonly Target[];
  error?: string | undefined;
}

/** Where the certificate goes, from what the agents report of their servers. */
export function NodeChoice({ organizationId, targets, onChange, taken = [], error }: ChoiceProps) {
  const agents = useAgents("network");
  const usable = agents.data?.filter(
    (agent) => agent.organization_id === null || String(agent.organization_id) === organizationId,
  );
  const toggle = (target: Target) => {
    const kept = targets.filter((item) => !same(item, target));
    onChange(kept.length < targets.length ? kept : [...kept, target]);
  };
  return (
    <div className="stack">
      <div className="row">
        <span>{targets.length === 0 ? "No nodes chosen." : `${targets.length} chosen.`}</span>
        {targets.length > 0 && (
          <Button
            small
            variant="link"
            onClick={() => {
              onChange([]);
            }}
          >
            Remove all
          </Button>
        )}
      </div>
      {error && (
        <p className="field-error" role="alert">
          {error}
        </p>
      )}
      <ProblemNotice error={agents.error} />
      {usable?.length === 0 && (
        <Empty title="No network agent serves this organization" icon="agent">
          Enroll one on the servers, or on a host that can reach them.
        </Empty>
      )}
      {usable?.map((agent) => (
        <AgentNodes key={agent.id} agent={agent} targets={targets} taken={taken} onToggle={toggle} />
      ))}
    </div>
  );
}

export function NodesStep({ draft, change, errorOf }: StepProps) {
  return (
    <NodeChoice
      organizationId={draft.organizationId}
      targets={draft.targets}
      onChange={(targets) => {
        change({ targets });
      }}
      error={errorOf("targets")}
    />
  );
}
