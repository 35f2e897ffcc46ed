import { useState } from "react";

import { TextArea } from "../../../forms/fields";
import type { StepProps } from "./StepProps";

const MAX_FILE_BYTES = 64 * 1024;

export function CsrStep({ draft, change, profile, errorOf }: StepProps) {
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
        error={errorOf("csr") ?? fileError}
      />
      <label className="field">
        <span className="field-label">From a file</span>
        <input
          type="file"
          accept=".csr,.pem,.txt,.req,.p10"
          onChange={(event) => void open(event.target.files?.[0])}
        />
      </label>
    </div>
  );
}
