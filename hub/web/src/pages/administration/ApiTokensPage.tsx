import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { remove } from "../../api/client";
import type { ApiTokenRow } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Badge } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Copy } from "../../components/Copy";
import { Dialog } from "../../components/Dialog";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { ApiTokenDialog } from "./ApiTokenDialog";

function RevokeButton({ token }: { token: ApiTokenRow }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  if (token.revoked_at !== null) return <Badge tone="bad">Revoked</Badge>;
  return (
    <>
      <Button
        small
        variant="link"
        onClick={() => {
          setAsking(true);
        }}
      >
        Revoke
      </Button>
      {asking && (
        <ActionDialog
          title="Revoke API token"
          confirm="Revoke token"
          danger
          run={async () => {
            await remove(`/api-tokens/${token.id}`);
            await client.invalidateQueries({ queryKey: ["api-tokens"] });
          }}
          done="Token revoked"
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>
            What uses <strong>{token.name}</strong> stops working at once.
          </p>
        </ActionDialog>
      )}
    </>
  );
}

const COLUMNS: readonly GridColumn<ApiTokenRow>[] = [
  { name: "name", label: "Name", width: 220 },
  { name: "hint", label: "Begins with", sortable: false, render: (row) => <code>{row.hint}…</code> },
  { name: "scopes", label: "Allowed", sortable: false, filterable: false, width: 240 },
  { name: "created_at", label: "Created", kind: "time" },
  { name: "expires_at", label: "Expires", kind: "time" },
  { name: "last_used_at", label: "Last used", kind: "time" },
  { name: "revoked_at", label: "", kind: "time", sortable: false, filterable: false, width: 120, render: (row) => <RevokeButton token={row} /> },
];

const rowKey = (row: ApiTokenRow) => String(row.id);

export function ApiTokensPage() {
  const [creating, setCreating] = useState(false);
  const [token, setToken] = useState<string | null>(null);
  const create = (
    <Button
      variant="primary"
      icon="plus"
      onClick={() => {
        setCreating(true);
      }}
    >
      Create token
    </Button>
  );
  return (
    <>
      <PageHeader title="API tokens" actions={create}>
        Your own tokens for scripts. They can do what you can, or less.
      </PageHeader>
      <Grid
        name="api-tokens"
        label="tokens"
        root="api-tokens"
        path="/api-tokens"
        columns={COLUMNS}
        rowKey={rowKey}
        defaultSort="-id"
        empty={{ title: "No API tokens yet", icon: "api", text: "Create one for each script that uses the REST API.", action: create }}
      />
      {creating && (
        <ApiTokenDialog
          onCreated={setToken}
          onClose={() => {
            setCreating(false);
          }}
        />
      )}
      {token && (
        <Dialog
          title="Your new token"
          sticky
          onClose={() => {
            setToken(null);
          }}
        >
          <p>It is shown now and never again.</p>
          <Copy block text={token} label="token" />
          <div className="form-actions">
            <Button
              variant="primary"
              onClick={() => {
                setToken(null);
              }}
            >
              I have copied it
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
