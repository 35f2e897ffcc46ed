import { useQueryClient } from "@tanstack/react-query";

import { post } from "../../api/client";
import { organizationField } from "../../forms/overrides";
import { SchemaDialog } from "../../forms/SchemaDialog";

const OVERRIDES = {
  organization_id: organizationField(),
  name: { label: "Domain", wide: true },
};

export function DomainDialog({ organizationId, onClose }: { organizationId: number | null; onClose: () => void }) {
  const client = useQueryClient();
  return (
    <SchemaDialog
      schema="DomainCreate"
      title="Delegate domain"
      confirm="Delegate"
      done="Domain delegated"
      fields={organizationId === null ? ["organization_id", "name"] : ["name"]}
      overrides={OVERRIDES}
      initial={organizationId === null ? {} : { organization_id: organizationId }}
      run={async (values) => {
        await post("/domains", values);
        await client.invalidateQueries({ queryKey: ["domains"] });
      }}
      onClose={onClose}
    />
  );
}
