import type { Certificate, InstallItem } from "../../api/types";
import { Status } from "../../components/Badge";
import { Panel } from "../../components/Panel";
import { Time } from "../../components/Time";
import { AgentLink } from "../agents/AgentLink";

function Item({ item }: { item: InstallItem }) {
  return (
    <li className="node">
      <div className="node-text stack-s">
        <div className="row">
          <strong>{item.server}</strong>
          <span>{item.node_id}</span>
          <Status value={item.status} />
        </div>
        <div className="small muted">
          <AgentLink name={item.agent} id={item.agent_id} /> · <Time value={item.updated_at} />
        </div>
        {item.message && (
          <p className={item.status === "Failed" ? "tone-bad" : undefined}>
            {item.reason && <strong>{item.reason}: </strong>}
            {item.message}
            {item.rolled_back && " The former certificate was put back."}
          </p>
        )}
        {item.steps.length > 0 && (
          <details>
            <summary>Steps ({item.steps.length})</summary>
            <ol className="small breakable">
              {item.steps.map((step, index) => (
                <li key={`${index}-${step}`}>{step}</li>
              ))}
            </ol>
          </details>
        )}
      </div>
    </li>
  );
}

export function InstallItems({ certificate }: { certificate: Certificate }) {
  const { items } = certificate;
  return (
    <Panel title="Installation" flush={items.length > 0} actions={<Status value={certificate.install_state} />}>
      {items.length === 0 ? (
        <p className="muted">No server nodes have been chosen for this certificate.</p>
      ) : (
        <ul>
          {items.map((item) => (
            <Item key={`${item.agent_id}/${item.server}/${item.node_id}`} item={item} />
          ))}
        </ul>
      )}
    </Panel>
  );
}
