import { useState } from "react";

import type { CertificateRow } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Select, TextArea } from "../../forms/fields";
import { REVOCATION_REASONS } from "./vocabulary";

export type BulkAction = "approve" | "decline" | "install" | "revoke";

interface Props {
  action: BulkAction;
  rows: readonly CertificateRow[];
  run: (extra: { message: string; reason?: string }) => Promise<void>;
  onClose: () => void;
}

const NAMES_SHOWN = 8;
const WORDS: Readonly<Record<BulkAction, string>> = {
  approve: "Approve requests",
  decline: "Decline requests",
  install: "Install certificates",
  revoke: "Revoke certificates",
};

export function BulkDialog({ action, rows, run, onClose }: Props) {
  const [message, setMessage] = useState("");
  const [reason, setReason] = useState("unspecified");
  const names = rows.slice(0, NAMES_SHOWN).map((row) => row.common_name || `#${row.id}`);
  return (
    <ActionDialog
      title={`${WORDS[action]} (${rows.length})`}
      confirm={WORDS[action]}
      danger={action === "revoke"}
      run={() => run(action === "revoke" ? { message, reason } : { message })}
      onClose={onClose}
    >
      <p className="breakable">
        {names.join(", ")}
        {rows.length > NAMES_SHOWN && ` and ${rows.length - NAMES_SHOWN} more`}
      </p>
      {action === "revoke" && (
        <>
          <p>Revoking can't be undone: clients that check will refuse these certificates.</p>
          <Select label="Reason" value={reason} onChange={setReason} options={REVOCATION_REASONS} />
        </>
      )}
      {action !== "install" && <TextArea label="Message" value={message} onChange={setMessage} rows={3} />}
    </ActionDialog>
  );
}
