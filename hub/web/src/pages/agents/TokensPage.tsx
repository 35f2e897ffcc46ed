import { useState } from "react";
import { useSearchParams } from "react-router";

import type { TokenCreated, TokenRow } from "../../api/types";
import { Button } from "../../components/Button";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { TOKEN_COLUMNS } from "./columns";
import { TokenForm } from "./TokenForm";
import { TokenShown } from "./TokenShown";
import { WithdrawToken } from "./WithdrawToken";

const rowKey = (row: TokenRow) => row.id;

const COLUMNS = [
  ...TOKEN_COLUMNS,
  {
    name: "organization_id" as const,
    label: "",
    sortable: false,
    filterable: false,
    width: 110,
    render: (row: TokenRow) => row.status === "open" && <WithdrawToken token={row} />,
  },
];

export function TokensPage() {
  const [parameters] = useSearchParams();
  const [creating, setCreating] = useState(parameters.has("new"));
  const [created, setCreated] = useState<{ token: TokenCreated; kind: string } | null>(null);
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
      <PageHeader title="Enrollment tokens" actions={create}>
        Each lets one agent join, once. The token is shown when it is made and never again.
      </PageHeader>
      <Grid
        name="tokens"
        label="tokens"
        root="enrollment-tokens"
        path="/enrollment-tokens"
        columns={COLUMNS}
        rowKey={rowKey}
        defaultSort="-created_at"
        empty={{
          title: "No tokens yet",
          icon: "token",
          text: "Create one and spend it on the host where the agent is to run.",
          action: create,
        }}
      />
      {creating && (
        <TokenForm
          onCreated={(token, kind) => {
            setCreated({ token, kind });
          }}
          onClose={() => {
            setCreating(false);
          }}
        />
      )}
      {created && (
        <TokenShown
          token={created.token}
          kind={created.kind}
          onClose={() => {
            setCreated(null);
          }}
        />
      )}
    </>
  );
}
