import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { get, post, remove } from "../../../api/client";
import type { Page } from "../../../api/lists";
import { signInMethods } from "../../../api/signIn";
import type { PasskeyRow } from "../../../api/types";
import { makePasskey, passkeysSupported } from "../../../api/webauthn";
import { ActionDialog } from "../../../components/ActionDialog";
import { Button } from "../../../components/Button";
import { Loaded } from "../../../components/Loaded";
import { Panel } from "../../../components/Panel";
import { PlainTable } from "../../../components/PlainTable";
import { Time } from "../../../components/Time";
import { TextField } from "../../../forms/fields";

interface Created {
  recovery_codes: string[];
}

async function register(name: string): Promise<Created> {
  const options = await post<{ public_key: Record<string, unknown> }>("/profile/passkeys/options");
  return post<Created>("/profile/passkeys", { name, credential: await makePasskey(options.public_key) });
}

function AddDialog({ onCodes, onClose }: { onCodes: (codes: readonly string[]) => void; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  return (
    <ActionDialog
      title="Add a passkey"
      confirm="Go on"
      done="Passkey added"
      disabled={!name.trim()}
      run={async () => {
        const created = await register(name.trim());
        await client.invalidateQueries({ queryKey: ["profile"] });
        onCodes(created.recovery_codes);
      }}
      onClose={onClose}
    >
      <TextField
        label="Name"
        required
        maxLength={64}
        placeholder="Laptop"
        hint="To tell it from others later. Then the browser asks where to keep it."
        value={name}
        onChange={setName}
      />
    </ActionDialog>
  );
}

function RemoveButton({ passkey }: { passkey: PasskeyRow }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button
        small
        variant="link"
        onClick={() => {
          setAsking(true);
        }}
      >
        Remove
      </Button>
      {asking && (
        <ActionDialog
          title="Remove passkey"
          confirm="Remove"
          danger
          done="Passkey removed"
          run={async () => {
            await remove(`/profile/passkeys/${passkey.id}`);
            await client.invalidateQueries({ queryKey: ["profile"] });
          }}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>
            <strong>{passkey.name}</strong> no longer signs you in.
          </p>
        </ActionDialog>
      )}
    </>
  );
}

const COLUMNS = [
  { label: "Name", cell: (row: PasskeyRow) => row.name },
  { label: "Added", cell: (row: PasskeyRow) => <Time value={row.created_at} show="relative" /> },
  { label: "Last used", cell: (row: PasskeyRow) => <Time value={row.last_used_at} show="relative" /> },
  { label: "", cell: (row: PasskeyRow) => <RemoveButton passkey={row} /> },
];

const rowKey = (row: PasskeyRow) => String(row.id);

export function PasskeysPanel({ onCodes }: { onCodes: (codes: readonly string[]) => void }) {
  const [adding, setAdding] = useState(false);
  const methods = useQuery({ queryKey: ["session", "methods"], queryFn: signInMethods });
  const query = useQuery({
    queryKey: ["profile", "passkeys"],
    queryFn: ({ signal }) => get<Page<PasskeyRow>>("/profile/passkeys", { limit: 100 }, signal),
  });
  if (methods.data && !methods.data.passkeys) {
    return (
      <Panel title="Passkeys">
        <p className="muted">Passkeys need the hub to be opened by a DNS name over HTTPS. Here it is not.</p>
      </Panel>
    );
  }
  return (
    <Loaded query={query}>
      {(page) => (
        <>
          <PlainTable
            title="Passkeys"
            rows={page.items}
            rowKey={rowKey}
            columns={COLUMNS}
            empty="A passkey signs you in with this device or a security key, without a password."
            actions={
              passkeysSupported() && (
                <Button
                  small
                  icon="plus"
                  onClick={() => {
                    setAdding(true);
                  }}
                >
                  Add passkey
                </Button>
              )
            }
          />
          {adding && (
            <AddDialog
              onCodes={onCodes}
              onClose={() => {
                setAdding(false);
              }}
            />
          )}
        </>
      )}
    </Loaded>
  );
}
