import { useState } from "react";

import { useMay } from "../../api/session";
import type { Certificate } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { DialogButton } from "../../components/DialogButton";
import { Panel } from "../../components/Panel";
import { Time } from "../../components/Time";
import { TextArea } from "../../forms/fields";
import { useCertificateCall } from "./actions/useCertificateAction";

function AddNote({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const { send } = useCertificateCall(certificate);
  const [text, setText] = useState("");
  return (
    <ActionDialog
      title="Add note"
      confirm="Add note"
      disabled={!text.trim()}
      run={() => send("post", "notes", { text })}
      done="Note added"
      onClose={onClose}
    >
      <TextArea label="Note" required rows={4} maxLength={4000} value={text} onChange={setText} />
    </ActionDialog>
  );
}

/** Remarks that people leave for one another. */
export function Notes({ certificate }: { certificate: Certificate }) {
  const may = useMay();
  return (
    <Panel
      title="Notes"
      actions={
        may("certificates.edit") && (
          <DialogButton small label="Add note" icon="plus">
            {(close) => <AddNote certificate={certificate} onClose={close} />}
          </DialogButton>
        )
      }
    >
      {certificate.notes.length === 0 ? (
        <p className="muted">Nobody has left a note.</p>
      ) : (
        <ul className="stack-s">
          {certificate.notes.map((note) => (
            <li key={note.id}>
              <p className="breakable">{note.text}</p>
              <p className="small muted">
                {note.author}, <Time value={note.created_at} />
              </p>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
