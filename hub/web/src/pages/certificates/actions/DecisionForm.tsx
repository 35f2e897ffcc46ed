import { useState } from "react";

import type { Certificate } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { TextArea } from "../../../forms/fields";
import { ApprovalList } from "../Approvals";
import { useCertificateCall } from "./useCertificateAction";

interface Props {
  action: "approve" | "decline";
  certificate: Certificate;
  onClose: () => void;
}

export function DecisionForm({ action, certificate, onClose }: Props) {
  const { send } = useCertificateCall(certificate);
  const [message, setMessage] = useState("");
  const approving = action === "approve";
  const missing = certificate.approvals_needed - certificate.approvals.length;
  const done = missing > 1 ? "Approved; another administrator has to approve too" : "Approved; the order follows";
  return (
    <ActionDialog
      title={approving ? "Approve request" : "Decline request"}
      confirm={approving ? "Approve" : "Decline"}
      danger={!approving}
      run={() => send("post", action, { message })}
      done={approving ? done : "Declined"}
      onClose={onClose}
    >
      <p>
        <strong className="breakable">{certificate.common_name}</strong>
        {certificate.requester && `, requested by ${certificate.requester}`}
      </p>
      {certificate.status === "Declined" && <p>It was declined: {certificate.decision_message || "no message"}</p>}
      <ApprovalList certificate={certificate} />
      <TextArea label="Message to the requester" value={message} onChange={setMessage} rows={3} />
    </ActionDialog>
  );
}
