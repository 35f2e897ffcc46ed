import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "react-router";

import { get, patch } from "../../api/client";
import { useMay } from "../../api/session";
import type { OrganizationRow } from "../../api/types";
import { Status } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Copy } from "../../components/Copy";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { Tabs, useTab } from "../../components/Tabs";
import { Time } from "../../components/Time";
import { SchemaDialog } from "../../forms/SchemaDialog";
import { AuditGrid } from "../administration/AuditGrid";
import { DepartmentsTab } from "./DepartmentsTab";
import { DomainsGrid } from "./DomainsGrid";
import { TypeSettings } from "./TypeSettings";
import { ValidationBadge, ValidationPanel } from "./ValidationPanel";

const TABS = [
  { id: "details", label: "Details" },
  { id: "departments", label: "Departments" },
  { id: "domains", label: "Domains" },
  { id: "settings", label: "Settings per type" },
  { id: "audit", label: "Audit" },
] as const;

const FIELDS = ["name", "street", "locality", "state", "postal_code", "country", "status"];

function EditButton({ organization }: { organization: OrganizationRow }) {
  const client = useQueryClient();
  const [editing, setEditing] = useState(false);
  return (
    <>
      <Button
        icon="edit"
        onClick={() => {
          setEditing(true);
        }}
      >
        Edit
      </Button>
      {editing && (
        <SchemaDialog
          schema="OrganizationChange"
          title="Edit organization"
          confirm="Save"
          done="Saved"
          fields={FIELDS}
          initial={Object.fromEntries(FIELDS.map((name) => [name, organization[name as keyof OrganizationRow]]))}
          run={async (values) => {
            await patch(`/organizations/${organization.id}`, values);
            await client.invalidateQueries({ queryKey: ["organizations"] });
          }}
          onClose={() => {
            setEditing(false);
          }}
        />
      )}
    </>
  );
}

function Details({ organization }: { organization: OrganizationRow }) {
  return (
    <div className="columns">
    <Panel title="Address">
      <Facts
        items={[
          ["Street", organization.street],
          ["City", organization.locality],
          ["State or province", organization.state],
          ["Postal code", organization.postal_code],
          ["Country", organization.country],
          ["Public ID", <Copy key="id" text={organization.public_id} label="public ID" />],
          ["Key recovery by", organization.key_recovery.join(", ")],
          ["Created", <Time key="created" value={organization.created_at} />],
        ]}
      />
    </Panel>
    <ValidationPanel organization={organization} />
    </div>
  );
}

export function OrganizationPage() {
  const { id = "" } = useParams();
  const may = useMay();
  const tabs = TABS.filter((item) => item.id !== "audit" || may("audit.view"));
  const tab = useTab(tabs);
  const query = useQuery({
    queryKey: ["organizations", "one", id],
    queryFn: ({ signal }) => get<OrganizationRow>(`/organizations/${id}`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(organization) => (
        <>
          <PageHeader
            title={organization.name}
            aside={
              <>
                <Status value={organization.status} />
                <ValidationBadge state={organization.validation} />
              </>
            }
            actions={may("organizations.edit") && <EditButton organization={organization} />}
          />
          <Tabs tabs={tabs} label="Organization" />
          {tab === "details" && <Details organization={organization} />}
          {tab === "departments" && <DepartmentsTab organization={organization} />}
          {tab === "domains" && <DomainsGrid organizationId={organization.id} />}
          {tab === "settings" && <TypeSettings path={`/organizations/${organization.id}/settings`} />}
          {tab === "audit" && <AuditGrid type="organization" id={String(organization.id)} />}
        </>
      )}
    </Loaded>
  );
}
