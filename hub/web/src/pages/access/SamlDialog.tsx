import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { post } from "../../api/client";
import { asProblem } from "../../api/problem";
import { ActionDialog } from "../../components/ActionDialog";
import { TextField } from "../../forms/fields";
import { MetadataField } from "./MetadataField";

/** Metadata fill in what the hub has to know; mapping and templates come on the provider's own page. */
export function SamlDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [label, setLabel] = useState("");
  const [metadata, setMetadata] = useState("");
  return (
    <ActionDialog
      title="Add SAML identity provider"
      confirm="Add"
      done="Identity provider added"
      wide
      disabled={!name || !label || !metadata.trim()}
      run={async () => {
        const { id } = await post<{ id: number }>("/identity-providers/saml", { name, label, metadata_xml: metadata });
        await client.invalidateQueries({ queryKey: ["providers"] });
        await navigate(`/access/providers/${id}`);
      }}
      onClose={onClose}
      shownFields={["name", "label", "metadata_xml"]}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <>
            <div className="form-grid">
              <TextField label="Name" required hint="Small letters, digits and hyphens; part of addresses." value={name} onChange={setName} error={problem?.of("name")} />
              <TextField label="Label" required hint="What the sign-in page's button says." value={label} onChange={setLabel} error={problem?.of("label")} />
            </div>
            <MetadataField value={metadata} onChange={setMetadata} error={problem?.of("metadata_xml")} />
          </>
        );
      }}
    </ActionDialog>
  );
}
