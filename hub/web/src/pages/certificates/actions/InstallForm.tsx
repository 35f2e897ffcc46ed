import type { Certificate } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { Status } from "../../../components/Badge";
import { useCertificateCall } from "./useCertificateAction";

interface Props {
  certificate: Certificate;
  onClose: () => void;
}

export function InstallForm({ certificate, onClose }: Props) {
  const { send } = useCertificateCall(certificate);
  const { items } = certificate;
  return (
    <ActionDialog
      title="Install certificate"
      confirm="Install now"
      run={() => send("post", "install")}
      done="Installation started"
      onClose={onClose}
    >
      <p>
        {items.length > 0
          ? "The certificate is put on these nodes, the servers are reloaded, and a handshake checks that they serve it. On any failure the former certificate is put back."
          : "The certificate is stored beside its key."}
      </p>
      {items.length > 0 && (
        <ul className="stack-s">
          {items.map((item) => (
            <li key={item.id} className="row">
              <span className="breakable">
                {item.server} · {item.node_id}
              </span>
              <Status value={item.status} />
            </li>
          ))}
        </ul>
      )}
      {certificate.installation === "scheduled" && <p>Its schedule does not matter now: this begins at once.</p>}
    </ActionDialog>
  );
}

/** For servers that are not reloaded: the new certificate is there, and waits for a restart. */
export function RestartForm({ certificate, onClose }: Props) {
  const { send } = useCertificateCall(certificate);
  const waiting = certificate.items.filter((item) => item.status === "Certificate Deployed");
  return (
    <ActionDialog
      title="Restart servers"
      confirm="Restart"
      danger
      run={() => send("post", "restart")}
      done="Restart under way"
      onClose={onClose}
    >
      <p>
        The agent checks the configuration first and leaves a server alone that would not come up again. Running
        connections end. Afterwards a handshake shows what is served.
      </p>
      <ul className="stack-s">
        {waiting.map((item) => (
          <li key={item.id} className="breakable">
            {item.server} · {item.node_id} {item.agent && `(${item.agent})`}
          </li>
        ))}
      </ul>
    </ActionDialog>
  );
}
