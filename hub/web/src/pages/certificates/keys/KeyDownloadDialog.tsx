import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { asProblem } from "../../../api/problem";
import type { Certificate } from "../../../api/types";
import { Button } from "../../../components/Button";
import { Copy } from "../../../components/Copy";
import { Dialog } from "../../../components/Dialog";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { Select } from "../../../forms/fields";
import {
  type DownloadedKey,
  downloadKey,
  type KeyFormat,
  type KeyTransfer,
  KeyTransferFailed,
  ownFingerprint,
  saveFile,
} from "../../../security/keyDownload";
import { canReceiveKeys } from "../../../security/receiverKey";
import { needsStepUp, StepUp } from "./StepUp";

const FORMATS: readonly { value: KeyFormat; label: string; ending: string }[] = [
  { value: "pkcs12", label: "PKCS #12 (.p12), AES-256", ending: "p12" },
  { value: "pkcs12_legacy", label: "PKCS #12 (.p12), 3DES: Windows before Server 2019, old Java", ending: "p12" },
  { value: "pem", label: "PEM: encrypted key and certificates", ending: "pem" },
];

const fileName = (certificate: Certificate, format: KeyFormat): string => {
  const base = certificate.common_name.replaceAll("*", "wildcard").replaceAll(/[^\w.-]+/g, "_");
  return `${base || `certificate-${certificate.id}`}.${FORMATS.find((item) => item.value === format)?.ending ?? "p12"}`;
};

/** The key is here: the file, and the passphrase that is shown this once. */
function Fetched({ certificate, file, onClose }: { certificate: Certificate; file: DownloadedKey; onClose: () => void }) {
  const [saved, setSaved] = useState(false);
  const name = fileName(certificate, file.format);
  return (
    <Dialog title="Private key received" onClose={onClose} sticky>
      <p>
        The file was opened in this browser; the hub has carried it sealed and has no copy. Its passphrase is shown now
        and never again.
      </p>
      <Copy block text={file.passphrase} label="passphrase" />
      <div className="form-actions">
        <Button
          variant={saved ? "default" : "primary"}
          icon="download"
          onClick={() => {
            saveFile(name, file.content);
            setSaved(true);
          }}
        >
          Save {name}
        </Button>
        <Button variant={saved ? "primary" : "default"} onClick={onClose}>
          I have both, close
        </Button>
      </div>
    </Dialog>
  );
}

function Fingerprint() {
  const own = useQuery({ queryKey: ["own-receiver"], queryFn: ownFingerprint, staleTime: Infinity });
  if (!own.data) return null;
  return (
    <details>
      <summary>This browser's fingerprint</summary>
      <p className="small muted">
        The owner of the private key store names it under <code>key_download</code> in the agent's{" "}
        <code>policy.toml</code>; without that the agent hands no key to this browser.
      </p>
      <Copy text={own.data} label="fingerprint" />
    </details>
  );
}

const stateText = (transfer: KeyTransfer | null): string =>
  transfer === null || transfer.state === "Requested" ? "The agent is asked to seal the key to this browser…" : "Opening…";

export function KeyDownloadDialog({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const [format, setFormat] = useState<KeyFormat>("pkcs12");
  const [transfer, setTransfer] = useState<KeyTransfer | null>(null);
  const able = useQuery({ queryKey: ["can-receive-keys"], queryFn: canReceiveKeys, staleTime: Infinity });
  const fetching = useMutation({
    mutationFn: () => downloadKey(certificate.id, format, { onState: setTransfer }),
    // The passphrase must not stay in the console's memory longer than its dialog.
    gcTime: 0,
  });
  if (fetching.data) return <Fetched certificate={certificate} file={fetching.data} onClose={onClose} />;
  const { error } = fetching;
  return (
    <Dialog title="Download with private key" onClose={onClose}>
      <p>
        {certificate.private_key_agent ?? "The private key store"} seals the key of{" "}
        <strong className="breakable">{certificate.common_name}</strong> to this browser and chooses a new passphrase.
        Keep the file where nobody else gets at it.
      </p>
      {able.data === false && (
        <div className="notice" data-tone="bad" role="alert">
          This browser can't receive keys: it does not know X25519. Use a current one, or the command line:{" "}
          <code>certwright key download {certificate.id}</code>
        </div>
      )}
      <Select
        label="Format"
        options={FORMATS}
        value={format}
        onChange={(value) => {
          setFormat(value as KeyFormat);
        }}
      />
      <Fingerprint />
      {fetching.isPending && <p role="status">{stateText(transfer)}</p>}
      {needsStepUp(error) ? (
        <StepUp
          reason={asProblem(error).detail}
          onDone={() => {
            fetching.mutate();
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
        <Button
          variant="primary"
          busy={fetching.isPending}
          disabled={able.data !== true}
          onClick={() => {
            setTransfer(null);
            fetching.mutate();
          }}
        >
          Download key
        </Button>
      </div>
    </Dialog>
  );
}
