import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { post, remove } from "../../api/client";
import { asProblem } from "../../api/problem";
import { useMay } from "../../api/session";
import type { LinkRow, Provider } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { DialogButton } from "../../components/DialogButton";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { TextField } from "../../forms/fields";
import { AdministratorPicker } from "./AdministratorPicker";

function LinkDialog({ provider, onClose }: { provider: Provider; onClose: () => void }) {
  const client = useQueryClient();
  const [subject, setSubject] = useState("");
  const [administrator, setAdministrator] = useState("");
  return (
    <ActionDialog
      title="Link an administrator"
      confirm="Link"
      done="Linked"
      disabled={!subject.trim() || !administrator}
      run={async () => {
        const body = { subject, administrator_id: Number(administrator) };
        await post(`/identity-providers/${provider.id}/links`, body);
        await client.invalidateQueries({ queryKey: ["provider-links"] });
      }}
      onClose={onClose}
      shownFields={["subject", "administrator_id"]}
    >
      {(error) => (
        <>
          <AdministratorPicker value={administrator} onChange={setAdministrator} />
          <TextField
            label="Name at the provider"
            required
            hint={provider.kind === "saml" ? "The NameID, or the subject attribute." : "The claim sub."}
            value={subject}
            onChange={setSubject}
            error={error ? asProblem(error).of("subject") : undefined}
          />
        </>
      )}
    </ActionDialog>
  );
}

function Unlink({ provider, link }: { provider: Provider; link: LinkRow }) {
  const client = useQueryClient();
  return (
    <DialogButton small variant="link" label="Unlink">
      {(close) => (
        <ActionDialog
          title="End link"
          confirm="End link"
          danger
          done="Link ended"
          run={() =>
            remove(`/identity-providers/${provider.id}/links/${link.id}`).then(() =>
              client.invalidateQueries({ queryKey: ["provider-links"] }),
            )
          }
          onClose={close}
        >
          <p>
            <strong>{link.username}</strong> no longer signs in with {provider.label}.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

const columnsOf = (provider: Provider, edits: boolean): readonly GridColumn<LinkRow>[] => [
  { name: "username", label: "Administrator", width: 180 },
  { name: "subject", label: "Name at the provider", width: 320 },
  { name: "created_at", label: "Linked", kind: "time" },
  { name: "last_used_at", label: "Last used", kind: "time" },
  {
    name: "id",
    label: "",
    sortable: false,
    filterable: false,
    width: 110,
    render: (row) => edits && <Unlink provider={provider} link={row} />,
  },
];

const rowKey = (row: LinkRow) => String(row.id);

/** Who at the provider is which administrator. */
export function LinksTab({ provider }: { provider: Provider }) {
  const may = useMay();
  const edits = may("identity_providers.edit");
  return (
    <Grid
      name="provider-links"
      label="links"
      root="provider-links"
      path={`/identity-providers/${provider.id}/links`}
      columns={columnsOf(provider, edits)}
      rowKey={rowKey}
      defaultSort="-id"
      toolbar={() =>
        edits && (
          <DialogButton small icon="plus" label="Link an administrator">
            {(close) => <LinkDialog provider={provider} onClose={close} />}
          </DialogButton>
        )
      }
      empty={{ title: "Nobody is linked yet", icon: "people", text: "People are linked by hand, or at their first sign-in when a template fits them." }}
    />
  );
}
