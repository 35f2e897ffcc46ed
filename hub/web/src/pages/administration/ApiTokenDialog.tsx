import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { post } from "../../api/client";
import { asProblem } from "../../api/problem";
import { ActionDialog } from "../../components/ActionDialog";
import { TextArea, TextField } from "../../forms/fields";

const SHOWN = ["name", "scopes", "expires_at"];

export function ApiTokenDialog({ onCreated, onClose }: { onCreated: (token: string) => void; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState("*");
  const [expires, setExpires] = useState("");
  const run = async () => {
    const created = await post<{ token: string }>("/api-tokens", {
      name,
      scopes: scopes.split(/[\s,]+/).filter(Boolean),
      expires_at: expires ? new Date(`${expires}T23:59:59`).toISOString() : null,
    });
    await client.invalidateQueries({ queryKey: ["api-tokens"] });
    onCreated(created.token);
  };
  return (
    <ActionDialog
      title="Create API token"
      confirm="Create token"
      disabled={!name.trim() || !scopes.trim()}
      run={run}
      onClose={onClose}
      shownFields={SHOWN}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <>
            <TextField label="Name" required value={name} onChange={setName} error={problem?.of("name")} />
            <TextArea
              label="What it may do"
              rows={3}
              spellCheck={false}
              value={scopes}
              onChange={setScopes}
              hint="Actions, one a line, such as certificates.view or certificates.*; * for all that you may."
              error={problem?.of("scopes")}
            />
            <TextField
              label="Valid until"
              type="date"
              value={expires}
              onChange={setExpires}
              hint="Empty: until it is revoked."
              error={problem?.of("expires_at")}
            />
          </>
        );
      }}
    </ActionDialog>
  );
}
