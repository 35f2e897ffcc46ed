import { useState } from "react";

import type { Certificate } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { Select, TextArea } from "../../../forms/fields";
import { REVOCATION_REASONS } from "../vocabulary";
import { useCertificateCall } from "./useCertificateAction";

export function RevokeForm({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const { send } = useCertificateCall(certificate);
  const [reason, setReason] = useState("unspecified");
  const [comments, setComments] = useState("");
  return (
    <ActionDialog
      title="Revoke certificate"
      confirm="Revoke certificate"
      danger
      run={() => send("post", "revoke", { reason, comments })}
      done="Revoked"
      onClose={onClose}
    >
      <p>
        <strong className="breakable">{certificate.common_name}</strong> will be refused by clients that check for
        revocation. This can't be undone.
      </p>
      <Select label="Reason" value={reason} onChange={setReason} options={REVOCATION_REASONS} />
      <TextArea
        label="Explanation"
        hint="Goes out with the notification of the revocation."
        value={comments}
        onChange={setComments}
        rows={3}
      />
    </ActionDialog>
  );
}
