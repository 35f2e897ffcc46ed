import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { post, remove } from "../../api/client";
import { asProblem } from "../../api/problem";
import { useMay } from "../../api/session";
import type { BindingRow } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Badge } from "../../components/Badge";
import { DialogButton } from "../../components/DialogButton";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { TextArea, TextField } from "../../forms/fields";
import { AdministratorPicker } from "./AdministratorPicker";

function BindDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [administrator, setAdministrator] = useState("");
  const [pem, setPem] = useState("");
  const [issuer, setIssuer] = useState("");
  const [subject, setSubject] = useState("");
  return (
    <ActionDialog
      title="Bind a client certificate"
      confirm="Bind"
      done="Client certificate bound"
      disabled={!administrator || (!pem.trim() && (!issuer.trim() || !subject.trim()))}
      run={async () => {
        await post("/sign-in-certificates", {
          administrator_id: Number(administrator),
          certificate_pem: pem,
          issuer,
          subject,
        });
        await client.invalidateQueries({ queryKey: ["bindings"] });
      }}
      onClose={onClose}
      shownFields={["administrator_id", "certificate_pem", "issuer", "subject"]}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <>
            <AdministratorPicker value={administrator} onChange={setAdministrator} error={problem?.of("administrator_id")} />
            <TextArea code label="Certificate (PEM)" rows={6} value={pem} onChange={setPem} error={problem?.of("certificate_pem")} hint="Or name issuer and subject, for certificates that are renewed." />
            <TextField label="Issuer" value={issuer} onChange={setIssuer} disabled={pem !== ""} error={problem?.of("issuer")} />
            <TextField label="Subject" value={subject} onChange={setSubject} disabled={pem !== ""} error={problem?.of("subject")} />
          </>
        );
      }}
    </ActionDialog>
  );
}

function RevokeButton({ binding }: { binding: BindingRow }) {
  const may = useMay();
  const client = useQueryClient();
  if (binding.revoked_at !== null) return <Badge tone="bad">Revoked</Badge>;
  if (!may("sign_in.edit")) return null;
  return (
    <DialogButton small variant="link" label="Revoke">
      {(close) => (
        <ActionDialog
          title="Revoke binding"
          confirm="Revoke"
          danger
          done="Revoked"
          run={() =>
            remove(`/sign-in-certificates/${binding.id}`).then(() => client.invalidateQueries({ queryKey: ["bindings"] }))
          }
          onClose={close}
        >
          <p>
            <strong>{binding.username}</strong> can no longer sign in with this certificate.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

const COLUMNS: readonly GridColumn<BindingRow>[] = [
  { name: "username", label: "Administrator", width: 150 },
  { name: "subject", label: "Subject", sortable: false, width: 260 },
  { name: "issuer", label: "Issuer", sortable: false, width: 240 },
  { name: "not_after", label: "Expires", kind: "time" },
  { name: "last_used_at", label: "Last used", kind: "time" },
  { name: "sha256", label: "SHA-256", sortable: false, hidden: true, width: 440 },
  { name: "created_at", label: "Bound", kind: "time", hidden: true },
  { name: "id", label: "", sortable: false, filterable: false, width: 110, render: (row) => <RevokeButton binding={row} /> },
];

const rowKey = (row: BindingRow) => String(row.id);

export function CertificatesTab() {
  const may = useMay();
  return (
    <Grid
      name="sign-in-certificates"
      label="certificates"
      root="bindings"
      path="/sign-in-certificates"
      columns={COLUMNS}
      rowKey={rowKey}
      defaultSort="-id"
      toolbar={() =>
        may("sign_in.edit") && (
          <DialogButton small icon="plus" label="Bind a certificate">
            {(close) => <BindDialog onClose={close} />}
          </DialogButton>
        )
      }
      empty={{ title: "No client certificates", icon: "certificate", text: "Administrators sign in with a certificate once it is bound to them." }}
    />
  );
}
