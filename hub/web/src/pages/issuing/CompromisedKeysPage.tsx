import { useQueryClient } from "@tanstack/react-query";

import { post, remove } from "../../api/client";
import { useMay } from "../../api/session";
import type { CompromisedKeyRow } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { DialogButton } from "../../components/DialogButton";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { useToast } from "../../components/toasts";
import { SchemaDialog } from "../../forms/SchemaDialog";

const FIELDS = ["source", "keys"] as const;
const OVERRIDES = {
  source: { label: "Source", hint: "Where they are known from; shown to whoever asks for a certificate." },
  keys: {
    label: "Keys",
    hint: "SHA-256 of the public key (SPKI) in hexadecimal digits, one a line; or a certificate, a signing request or a public key in PEM.",
  },
};

interface Added {
  read: number;
  added: number;
}

function AddButton() {
  const client = useQueryClient();
  const toast = useToast();
  return (
    <DialogButton variant="primary" icon="plus" label="Add keys">
      {(close) => (
        <SchemaDialog
          schema="CompromisedKeysAdd"
          title="Add compromised keys"
          confirm="Add"
          done=""
          wide
          fields={FIELDS}
          overrides={OVERRIDES}
          run={async (values) => {
            const { read, added } = await post<Added>("/compromised-keys", values);
            await client.invalidateQueries({ queryKey: ["compromised-keys"] });
            toast(`${added} of ${read} added${added < read ? "; the others were on the list" : ""}`);
          }}
          onClose={close}
        />
      )}
    </DialogButton>
  );
}

function RemoveButton({ row }: { row: CompromisedKeyRow }) {
  const client = useQueryClient();
  return (
    <DialogButton small variant="link" label="Remove">
      {(close) => (
        <ActionDialog
          title="Take a key off the list"
          confirm="Remove"
          danger
          done="Key removed"
          run={async () => {
            await remove(`/compromised-keys/${row.spki_sha256}`);
            await client.invalidateQueries({ queryKey: ["compromised-keys"] });
          }}
          onClose={close}
        >
          <p>Certificates may be issued for this key again. It is known from: {row.source}.</p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

function KeyCell({ row }: { row: CompromisedKeyRow }) {
  const may = useMay();
  return (
    <>
      <code>{row.spki_sha256}</code> {may("compromised_keys.edit") && <RemoveButton row={row} />}
    </>
  );
}

const COLUMNS: readonly GridColumn<CompromisedKeyRow>[] = [
  { name: "spki_sha256", label: "Public key (SHA-256)", width: 620, render: (row) => <KeyCell row={row} /> },
  { name: "source", label: "Source", sortable: false, width: 320 },
  { name: "added_by", label: "Added by", sortable: false },
  { name: "added_at", label: "Added", kind: "time" },
];

const rowKey = (row: CompromisedKeyRow) => row.spki_sha256;

export function CompromisedKeysPage() {
  const may = useMay();
  return (
    <>
      <PageHeader title="Compromised keys" actions={may("compromised_keys.edit") && <AddButton />}>
        No certificate is issued for these. A key comes here by itself when its certificate is revoked for keyCompromise.
      </PageHeader>
      <Grid
        name="compromised-keys"
        label="keys"
        root="compromised-keys"
        path="/compromised-keys"
        columns={COLUMNS}
        rowKey={rowKey}
        defaultSort="-added_at"
        searchLabel="Search keys and sources"
        empty={{ title: "No compromised keys", icon: "key", text: "Nobody is known to have somebody else's key." }}
      />
    </>
  );
}
