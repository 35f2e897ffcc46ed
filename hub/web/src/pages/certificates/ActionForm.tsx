import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { post } from "../../api/client";
import type { Certificate } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Select, TextArea } from "../../forms/fields";
import { AssignForm } from "./AssignForm";
import { RenewForm } from "./RenewForm";
import { REVOCATION_REASONS } from "./vocabulary";

export type CertificateAction = "approve" | "decline" | "assign" | "install" | "renew" | "revoke";

interface Props {
  action: CertificateAction;
  certificate: Certificate;
  onClose: () => void;
}

export function useCertificateAction(certificate: Certificate) {
  const client = useQueryClient();
  return async (action: CertificateAction, body?: unknown) => {
    await post(`/certificates/${certificate.id}/${action}`, body);
    await client.invalidateQueries({ queryKey: ["certificates"] });
  };
}

function DecisionForm({ action, certificate, onClose }: Props) {
  const act = useCertificateAction(certificate);
  const [message, setMessage] = useState("");
  const approving = action === "approve";
  return (
    <ActionDialog
      title={approving ? "Approve request" : "Decline request"}
      confirm={approving ? "Approve" : "Decline"}
      danger={!approving}
      run={() => act(action, { message })}
      done={approving ? "Approved; the order follows" : "Declined"}
      onClose={onClose}
    >
      <p>
        <strong className="breakable">{certificate.common_name}</strong>
        {certificate.requester && `, requested by ${certificate.requester}`}
      </p>
      <TextArea label="Message to the requester" value={message} onChange={setMessage} rows={3} />
    </ActionDialog>
  );
}

function RevokeForm({ certificate, onClose }: Omit<Props, "action">) {
  const act = useCertificateAction(certificate);
  const [reason, setReason] = useState("unspecified");
  const [comments, setComments] = useState("");
  return (
    <ActionDialog
      title="Revoke certificate"
      confirm="Revoke certificate"
      danger
      run={() => act("revoke", { reason, comments })}
      done="Revoked"
      onClose={onClose}
    >
      <p>
        <strong className="breakable">{certificate.common_name}</strong> will be refused by clients that check for
        revocation. This can't be undone.
      </p>
      <Select label="Reason" value={reason} onChange={setReason} options={REVOCATION_REASONS} />
      <TextArea label="Comments" value={comments} onChange={setComments} rows={3} />
    </ActionDialog>
  );
}

function InstallForm({ certificate, onClose }: Omit<Props, "action">) {
  const act = useCertificateAction(certificate);
  return (
    <ActionDialog
      title="Install certificate"
      confirm="Install now"
      run={() => act("install")}
      done="Installation started"
      onClose={onClose}
    >
      <p>
        {certificate.items.length > 0
          ? "The certificate is put on these nodes, the servers are reloaded, and a handshake checks that they serve it. On any failure the former certificate is put back."
          : "The certificate is stored beside its key."}
      </p>
      {certificate.items.length > 0 && (
        <ul className="stack-s">
          {certificate.items.map((item) => (
            <li key={`${item.agent_id}/${item.server}/${item.node_id}`}>
              {item.server} · {item.node_id}
            </li>
          ))}
        </ul>
      )}
    </ActionDialog>
  );
}

export function ActionForm(props: Props) {
  if (props.action === "revoke") return <RevokeForm {...props} />;
  if (props.action === "install") return <InstallForm {...props} />;
  if (props.action === "renew") return <RenewForm {...props} />;
  if (props.action === "assign") return <AssignForm {...props} />;
  return <DecisionForm {...props} />;
}
