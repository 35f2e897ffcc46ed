import type { Certificate, InstallItem } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { Status } from "../../../components/Badge";
import { DialogButton } from "../../../components/DialogButton";
import { Time } from "../../../components/Time";
import { AgentLink } from "../../agents/AgentLink";
import { useCertificateCall } from "../actions/useCertificateAction";

/** What each status of a node means, for those who don't see it every day. */
const MEANINGS: Readonly<Record<string, string>> = {
  "Not Started": "Nothing was done yet.",
  "Private Key Saved": "Its agent made the key and keeps it.",
  "Certificate Saved": "Its agent has certificate and key.",
  "Certificate Deployed": "The server's files are the new ones; it takes them up with a restart.",
  Installed: "A handshake on every address showed the new certificate.",
  Failed: "The old certificate is served.",
  Invalid: "Node, server or agent is gone; it takes no part any more.",
};

function Remove({ certificate, item }: { certificate: Certificate; item: InstallItem }) {
  const call = useCertificateCall(certificate);
  return (
    <DialogButton small variant="link" label="Remove">
      {(close) => (
        <ActionDialog
          title="Remove node"
          confirm="Remove node"
          danger
          run={() => call.remove(`install-items/${item.id}`)}
          done="Node removed"
          onClose={close}
        >
          <p>
            <strong className="breakable">
              {item.server} · {item.node_id}
            </strong>{" "}
            is no longer installed by this certificate and its renewals. What is installed there stays there.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

function Item({ certificate, item, removable }: { certificate: Certificate; item: InstallItem; removable: boolean }) {
  return (
    <li className="node">
      <div className="node-text stack-s">
        <div className="row">
          <strong>{item.server}</strong>
          <span>{item.node_id}</span>
          <Status value={item.status} />
          {removable && <Remove certificate={certificate} item={item} />}
        </div>
        <p className="small muted">{MEANINGS[item.status]}</p>
        <div className="small muted row">
          <AgentLink name={item.agent} id={item.agent_id} />
          <Time value={item.updated_at} />
          {item.missed_windows > 0 && <span>{item.missed_windows} windows missed</span>}
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

export function InstallItems({ certificate, removable }: { certificate: Certificate; removable: boolean }) {
  return (
    <ul className="node-list">
      {certificate.items.map((item) => (
        <Item key={item.id} certificate={certificate} item={item} removable={removable} />
      ))}
    </ul>
  );
}
