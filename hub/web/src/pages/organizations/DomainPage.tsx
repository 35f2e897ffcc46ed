import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";

import { useDepartments, useOrganizations } from "../../api/choices";
import { get } from "../../api/client";
import { useMay } from "../../api/session";
import type { DomainAnswer } from "../../api/types";
import { Badge } from "../../components/Badge";
import { LinkButton } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { Tabs, useTab } from "../../components/Tabs";
import { Time } from "../../components/Time";
import { AuditGrid } from "../administration/AuditGrid";
import { TYPE_LABELS } from "../administration/grants";
import { DomainActions } from "./DomainActions";
import { DomainState } from "./DomainsGrid";
import { DomainValidation, validatedName } from "./DomainValidation";

function Warnings({ domain }: { domain: DomainAnswer }) {
  if (domain.warnings.length === 0) return null;
  return (
    <div className="notice" data-tone="warn">
      <Icon name="warning" className="tone-warn" />
      <div>
        <strong>Other delegations share names with this one</strong>
        <ul>
          {domain.warnings.map((warning) => (
            <li key={warning.message}>{warning.message}</li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function Details({ domain }: { domain: DomainAnswer }) {
  const may = useMay();
  const organizations = useOrganizations();
  const departments = useDepartments(domain.department_id === null ? null : domain.organization_id);
  const department = departments.data?.find((item) => item.id === domain.department_id)?.name;
  const start = `/domain-validation/start?organization=${domain.organization_id}&domain=${validatedName(domain)}`;
  return (
    <div className="stack">
      <Warnings domain={domain} />
      <div className="columns">
        <Panel title="Delegation">
          <Facts
            items={[
              [
                "Organization",
                <Link key="organization" to={`/organizations/${domain.organization_id}`}>
                  {organizations.data?.find((item) => item.id === domain.organization_id)?.name ?? "Organization"}
                </Link>,
              ],
              ["Department", domain.department_id === null ? "The whole organization" : department],
              ["Types", domain.certificate_types.map((type) => TYPE_LABELS[type]).join(", ")],
              ["Requested by", domain.requested_by],
              ["Decided by", domain.decided_by],
              ["Decided", domain.decided_at && <Time value={domain.decided_at} />],
              ["Message", domain.decision_message],
              ["Created", <Time key="created" value={domain.created_at} />],
            ]}
          />
        </Panel>
        <Panel
          title="Domain control validation"
          actions={
            may("dcv.edit") &&
            domain.name !== "*" && (
              <LinkButton small icon="play" to={start}>
                Validate
              </LinkButton>
            )
          }
          foot="Needed for certificates of public trust; those of private trust need the delegation only."
        >
          <DomainValidation domain={domain} />
        </Panel>
      </div>
    </div>
  );
}

export function DomainPage() {
  const { id = "" } = useParams();
  const may = useMay();
  const tabs = [{ id: "details", label: "Details" }, ...(may("audit.view") ? [{ id: "audit", label: "Audit" }] : [])];
  const tab = useTab(tabs);
  const query = useQuery({
    queryKey: ["domains", "one", id],
    queryFn: ({ signal }) => get<DomainAnswer>(`/domains/${id}`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(domain) => (
        <>
          <PageHeader
            title={<span className="mono">{domain.name}</span>}
            aside={
              <>
                <DomainState domain={domain} />
                {!domain.active && <Badge tone="idle">Switched off</Badge>}
              </>
            }
            actions={<DomainActions domain={domain} />}
          />
          <Tabs tabs={tabs} label="Domain" />
          {tab === "details" && <Details domain={domain} />}
          {tab === "audit" && <AuditGrid type="domain" id={String(domain.id)} />}
        </>
      )}
    </Loaded>
  );
}
