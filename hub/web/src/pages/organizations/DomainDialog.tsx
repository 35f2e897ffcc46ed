import { useQueryClient } from "@tanstack/react-query";

import { post } from "../../api/client";
import { useMay } from "../../api/session";
import type { DomainAnswer } from "../../api/types";
import { useToast } from "../../components/toasts";
import type { FieldOverride } from "../../forms/SchemaForm";
import { SchemaDialog } from "../../forms/SchemaDialog";
import { TypeChoice } from "./TypeChoice";
import { PlaceFields } from "./PlaceFields";

const OVERRIDES: Record<string, FieldOverride> = {
  name: { label: "Domain", wide: true },
  certificate_types: { render: (props) => <TypeChoice {...props} /> },
};

/** Delegates a domain, or asks for it where one may not decide. */
export function DomainDialog({ organizationId, onClose }: { organizationId: number | null; onClose: () => void }) {
  const may = useMay();
  const toast = useToast();
  const client = useQueryClient();
  const decides = may("domains.approve");
  return (
    <SchemaDialog
      schema="DomainCreate"
      title={decides ? "Delegate domain" : "Request domain"}
      confirm={decides ? "Delegate" : "Request"}
      done={decides ? "Domain delegated" : "Domain requested"}
      fields={["name", "certificate_types"]}
      overrides={OVERRIDES}
      group={(values, onChange, problem) => (
        <PlaceFields values={values} onChange={onChange} problem={problem} fixedOrganization={organizationId !== null} />
      )}
      initial={organizationId === null ? {} : { organization_id: organizationId }}
      run={async (values) => {
        const made = await post<DomainAnswer>("/domains", values);
        await client.invalidateQueries({ queryKey: ["domains"] });
        for (const warning of made.warnings) toast(warning.message, "bad");
      }}
      onClose={onClose}
    />
  );
}
