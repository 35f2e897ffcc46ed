import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { postForm } from "../../../api/client";
import { asProblem } from "../../../api/problem";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { Field, TextField } from "../../../forms/fields";
import { DepartmentPicker, OrganizationPicker } from "../../../forms/pickers";
import { ImportProgress } from "./ImportProgress";

const MAX_BYTES = 64 * 1024 * 1024;

function Running({ id, onClose }: { id: number; onClose: () => void }) {
  return (
    <Dialog title="Import certificates" onClose={onClose} wide>
      <ImportProgress id={id} />
      <div className="form-actions">
        <Button variant="primary" onClick={onClose}>
          Close
        </Button>
      </div>
    </Dialog>
  );
}

/** Owner first, then the archive, then how far it is and what became of each file. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const [organization, setOrganization] = useState("");
  const [department, setDepartment] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [password, setPassword] = useState("");
  const sending = useMutation({
    mutationFn: () => {
      const form = new FormData();
      if (file) form.append("file", file);
      if (password) form.append("password", password);
      return postForm<{ id: number }>("/certificates/import", { organization_id: organization, department_id: department }, form);
    },
  });
  if (sending.data) return <Running id={sending.data.id} onClose={onClose} />;
  const problem = sending.error ? asProblem(sending.error) : null;
  const tooLarge = file !== null && file.size > MAX_BYTES;
  return (
    <Dialog title="Import certificates" onClose={onClose}>
      <form
        className="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          sending.mutate();
        }}
      >
        <p>
          From a ZIP archive with files of certificates: .cer, .crt, .pem, .der, .p7b, .p7c, .p12 and .pfx. They become
          External ones of the owner. Private keys are never stored.
        </p>
        <OrganizationPicker
          value={organization}
          onChange={(value) => {
            setOrganization(value);
            setDepartment("");
          }}
          required
          error={problem?.of("organization_id")}
        />
        <DepartmentPicker
          organizationId={organization}
          value={department}
          onChange={setDepartment}
          error={problem?.of("department_id")}
        />
        <Field
          label="ZIP archive"
          required
          hint="At most 64 MiB."
          error={tooLarge ? "It has more than 64 MiB: split it." : problem?.of("file")}
        >
          {(wiring) => (
            <input
              {...wiring}
              type="file"
              accept=".zip,application/zip"
              onChange={(event) => {
                setFile(event.target.files?.[0] ?? null);
              }}
            />
          )}
        </Field>
        <TextField
          label="Password of PKCS #12 files"
          type="password"
          autoComplete="off"
          hint="If there are any. It is used once and not stored."
          value={password}
          onChange={setPassword}
          error={problem?.of("password")}
        />
        <ProblemNotice error={sending.error} shownFields={["organization_id", "department_id", "file", "password"]} />
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={sending.isPending} disabled={!organization || !file || tooLarge}>
            Import
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
