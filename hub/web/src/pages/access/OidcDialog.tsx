import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { post } from "../../api/client";
import { asProblem } from "../../api/problem";
import { ActionDialog } from "../../components/ActionDialog";
import { Check, TextField } from "../../forms/fields";

const EMPTY = { name: "", label: "", issuer: "", client_id: "", client_secret: "" };

const FIELDS = [
  { name: "name", label: "Name", hint: "Small letters, digits and hyphens; part of addresses." },
  { name: "label", label: "Label", hint: "What the sign-in page's button says." },
  { name: "issuer", label: "Issuer", hint: "Address under which its discovery document is." },
  { name: "client_id", label: "Client ID", hint: "" },
] as const;

export function OidcDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [fields, setFields] = useState(EMPTY);
  const [isPrivate, setPrivate] = useState(false);
  const { name, label, issuer, client_id, client_secret } = fields;
  return (
    <ActionDialog
      title="Add OpenID Connect provider"
      confirm="Add"
      done="Identity provider added"
      disabled={Object.values(fields).some((value) => !value.trim())}
      run={async () => {
        const settings = { issuer, client_id, private_network: isPrivate };
        const { id } = await post<{ id: number }>("/identity-providers/oidc", { name, label, client_secret, settings });
        await client.invalidateQueries({ queryKey: ["providers"] });
        await navigate(`/access/providers/${id}`);
      }}
      onClose={onClose}
      shownFields={Object.keys(EMPTY)}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <>
            {FIELDS.map((field) => (
              <TextField
                key={field.name}
                label={field.label}
                hint={field.hint}
                required
                value={fields[field.name]}
                onChange={(value) => {
                  setFields({ ...fields, [field.name]: value });
                }}
                error={problem?.of(field.name)}
              />
            ))}
            <TextField
              label="Client secret"
              type="password"
              autoComplete="off"
              required
              value={client_secret}
              onChange={(value) => {
                setFields({ ...fields, client_secret: value });
              }}
              error={problem?.of("client_secret")}
            />
            <Check label="The provider is at a private address" checked={isPrivate} onChange={setPrivate} />
          </>
        );
      }}
    </ActionDialog>
  );
}
