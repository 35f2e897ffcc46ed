import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { asProblem } from "../../../api/problem";
import type { Certificate } from "../../../api/types";
import { Button } from "../../../components/Button";
import { Copy } from "../../../components/Copy";
import { Dialog } from "../../../components/Dialog";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { useToast } from "../../../components/toasts";
import { Check, Field, TextField } from "../../../forms/fields";
import { AgentPicker } from "../../../forms/pickers";
import { type KeyReceiver, keyReceiver, KeyTransferFailed, uploadKey } from "../../../security/keyDownload";
import { needsStepUp, StepUp } from "./StepUp";

const MAX_BYTES = 256 * 1024;

function Receiver({ receiver, checked, onCheck }: { receiver: KeyReceiver; checked: boolean; onCheck: (checked: boolean) => void }) {
  return (
    <div className="stack-s">
      <p>
        The key is sealed in this browser to {receiver.agent_name}. Compare the agent's fingerprint with what{" "}
        <code>certwright-agent status</code> prints on its host: the hub only says what it was told.
      </p>
      <Copy text={receiver.receiver_fingerprint} label="fingerprint" />
      <Check label="It is the same on the agent's host" checked={checked} onChange={onCheck} />
      {!receiver.connected && <p className="tone-warn">The agent is not connected; the key waits for it ten minutes.</p>}
    </div>
  );
}

/** Hands the key of a certificate that came with its own CSR to a private key store. */
export function KeyUploadDialog({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const client = useQueryClient();
  const toast = useToast();
  const [agentId, setAgentId] = useState("");
  const [compared, setCompared] = useState(false);
  const [file, setFile] = useState<File | null>(null);
  const [passphrase, setPassphrase] = useState("");
  const receiver = useQuery({
    queryKey: ["certificates", "key-receiver", certificate.id, agentId],
    queryFn: () => keyReceiver(certificate.id, agentId),
    enabled: agentId !== "",
    retry: false,
  });
  const sending = useMutation({
    mutationFn: async () => {
      if (!file || !receiver.data) return;
      const content = new Uint8Array(await file.arrayBuffer());
      await uploadKey(certificate.id, receiver.data, { content, passphrase });
    },
    onSuccess: async () => {
      toast("The private key is stored");
      await client.invalidateQueries({ queryKey: ["certificates"] });
      onClose();
    },
  });
  const tooLarge = file !== null && file.size > MAX_BYTES;
  const error = sending.error ?? receiver.error;
  return (
    <Dialog title="Upload private key" onClose={onClose}>
      <form
        className="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          sending.mutate();
        }}
      >
        <AgentPicker
          kind="pks"
          organizationId={String(certificate.organization_id ?? "")}
          label="Private key store"
          required
          value={agentId}
          onChange={(value) => {
            setAgentId(value);
            setCompared(false);
          }}
        />
        {receiver.data && <Receiver receiver={receiver.data} checked={compared} onCheck={setCompared} />}
        <Field
          label="Key file"
          required
          hint="PEM, DER or PKCS #12."
          error={tooLarge ? "This is too large to be a key." : undefined}
        >
          {(wiring) => (
            <input
              {...wiring}
              type="file"
              accept=".key,.pem,.der,.p12,.pfx"
              onChange={(event) => {
                setFile(event.target.files?.[0] ?? null);
              }}
            />
          )}
        </Field>
        <TextField
          label="Passphrase of the file"
          type="password"
          autoComplete="off"
          hint="Empty if it has none. It is sealed with the key."
          value={passphrase}
          onChange={setPassphrase}
        />
        {sending.isPending && <p role="status">Sealed and on its way; the agent checks that it is this certificate's key…</p>}
        {needsStepUp(error) ? (
          <StepUp
            reason={asProblem(error).detail}
            onDone={() => {
              sending.reset();
              void receiver.refetch();
            }}
          />
        ) : error instanceof KeyTransferFailed ? (
          <div className="notice" data-tone="bad" role="alert">
            <div>
              <strong>{error.reason}</strong>
              <p>{error.message}</p>
            </div>
          </div>
        ) : (
          <ProblemNotice error={error} />
        )}
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={sending.isPending} disabled={!file || tooLarge || !compared}>
            Upload key
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
