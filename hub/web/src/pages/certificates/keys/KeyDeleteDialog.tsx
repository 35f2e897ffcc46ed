import { useState } from "react";

import { asProblem } from "../../../api/problem";
import { remove } from "../../../api/client";
import type { Certificate } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { TextField } from "../../../forms/fields";
import { needsStepUp, StepUp } from "./StepUp";

/** Has the agent delete the key for ever; the name is written out so that nobody does it by mistake. */
export function KeyDeleteDialog({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const [confirm, setConfirm] = useState("");
  const [stronger, setStronger] = useState(false);
  const name = certificate.common_name;
  return (
    <ActionDialog
      title="Delete private key"
      confirm="Delete private key"
      danger
      disabled={confirm !== name}
      run={() => remove(`/certificates/${certificate.id}/key?confirm=${encodeURIComponent(confirm)}`)}
      done="The agent is deleting the key"
      onClose={onClose}
    >
      {(error) => (
        <>
          <p>
            {certificate.private_key_agent ?? "The private key store"} deletes its key of{" "}
            <strong className="breakable">{name}</strong> for ever. Copies on servers stay; the certificate can no longer
            be renewed with this key or installed elsewhere.
          </p>
          <TextField
            label={`Write ${name} to confirm`}
            value={confirm}
            onChange={setConfirm}
            autoCapitalize="none"
            spellCheck={false}
          />
          {needsStepUp(error) && !stronger && (
            <StepUp
              reason={asProblem(error).detail}
              onDone={() => {
                setStronger(true);
              }}
            />
          )}
          {stronger && <p role="status">Confirmed: now delete it.</p>}
        </>
      )}
    </ActionDialog>
  );
}
