import { useState } from "react";

import { Facts, Panel } from "../../../components/Panel";
import { TextArea } from "../../../forms/fields";
import { Names } from "../DetailsTab";
import type { Checked } from "../types";
import type { StepProps } from "./StepProps";

/** What the hub reads in it, as soon as it is there. */
function Parsed({ checked }: { checked: Checked }) {
  const csr = checked.signing_request;
  if (!csr) return null;
  const names = [...csr.dns_names, ...csr.ip_addresses];
  return (
    <Panel title="What it says" foot="Its key has signed it. Where it differs from the organization's details, the profile decides.">
      <Facts
        items={[
          ["Subject", csr.subject || "None"],
          ["Common name", csr.common_name],
          ["Alternative names", names.length > 0 ? <Names names={names} /> : null],
          ["Other names", csr.other_names.join(", ")],
          ["Key type", `${csr.key_type} (${csr.key_bits} bits)`],
          ["Signature", csr.signature_algorithm],
        ]}
      />
    </Panel>
  );
}

const MAX_FILE_BYTES = 64 * 1024;

export function CsrStep({ draft, change, profile, checked, errorOf }: StepProps) {
  const [fileError, setFileError] = useState<string>();
  const open = async (file: File | undefined) => {
    if (!file) return;
    if (file.size > MAX_FILE_BYTES) {
      setFileError(`${file.name} is too large to be a CSR.`);
      return;
    }
    setFileError(undefined);
    change({ csr: await file.text() });
  };
  const findings = checked?.findings
    .filter((finding) => finding.field === "csr")
    .map((finding) => finding.message)
    .join(" ");
  return (
    <div
      className="form"
      onDragOver={(event) => {
        event.preventDefault();
      }}
      onDrop={(event) => {
        event.preventDefault();
        void open(event.dataTransfer.files[0]);
      }}
    >
      <TextArea
        label="Certificate signing request"
        code
        required
        value={draft.csr}
        onChange={(csr) => {
          change({ csr });
        }}
        placeholder={"-----BEGIN CERTIFICATE REQUEST-----"}
        hint={`Paste it, drop its file here, or open the file. Keys that the profile takes: ${profile?.key_types.join(", ") ?? ""}.`}
        error={errorOf("csr") ?? fileError ?? findings}
      />
      <label className="field">
        <span className="field-label">From a file</span>
        <input
          type="file"
          accept=".csr,.pem,.txt,.req,.p10"
          onChange={(event) => void open(event.target.files?.[0])}
        />
      </label>
      {checked && <Parsed checked={checked} />}
    </div>
  );
}
