import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";

import { useOrganizations } from "../../api/choices";
import { get } from "../../api/client";
import { useMay } from "../../api/session";
import type { Dcv } from "../../api/types";
import { LinkButton } from "../../components/Button";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { Tabs, useTab } from "../../components/Tabs";
import { Expiry, Time } from "../../components/Time";
import { ValueTree } from "../agents/ValueTree";
import { AuditGrid } from "../administration/AuditGrid";
import { ChallengePanel } from "./ChallengePanel";
import { DcvState } from "./DcvState";
import { HistoryTab } from "./HistoryTab";
import { useMethodWords } from "./methods";
import { OutlookPanel } from "./OutlookPanel";
import { RenewalPanel } from "./RenewalPanel";

function StatusPanel({ validation }: { validation: Dcv }) {
  const words = useMethodWords();
  const organizations = useOrganizations();
  const proved = Object.keys(validation.evidence).length > 0;
  return (
    <Panel title="Status">
      <Facts
        items={[
          ["Status", <DcvState key="state" state={validation.state} />],
          [
            "Organization",
            <Link key="organization" to={`/organizations/${validation.organization_id}`}>
              {organizations.data?.find((item) => item.id === validation.organization_id)?.name ?? "Organization"}
            </Link>,
          ],
          ["Trust", validation.trust === "public" ? "Public" : "Private"],
          ["Method", validation.method && words(validation.method)],
          ["Validated", validation.validated_at && <Time value={validation.validated_at} />],
          ["Expires", validation.expires_at && <Expiry value={validation.expires_at} />],
          ["Action needed from", validation.action_at && <Time value={validation.action_at} />],
          ["Evidence", proved ? <ValueTree value={validation.evidence} /> : null],
        ]}
      />
    </Panel>
  );
}

function Content({ validation, tab }: { validation: Dcv; tab: string }) {
  if (tab === "history") return <HistoryTab id={validation.id} />;
  if (tab === "audit") return <AuditGrid type="domain_validation" id={String(validation.id)} />;
  return (
    <div className="stack">
      <ChallengePanel validation={validation} />
      <div className="columns">
        <StatusPanel validation={validation} />
        <div className="stack">
          <OutlookPanel id={validation.id} />
          <RenewalPanel validation={validation} />
        </div>
      </div>
    </div>
  );
}

export function ValidationPage() {
  const { id = "" } = useParams();
  const may = useMay();
  const tabs = [
    { id: "details", label: "Details" },
    { id: "history", label: "Attempts" },
    ...(may("audit.view") ? [{ id: "audit", label: "Audit" }] : []),
  ];
  const tab = useTab(tabs);
  const query = useQuery({
    queryKey: ["dcv", "one", id],
    queryFn: ({ signal }) => get<Dcv>(`/dcv/${id}`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(validation) => (
        <>
          <PageHeader
            title={<span className="mono">{validation.domain}</span>}
            aside={<DcvState state={validation.state} />}
            actions={
              may("dcv.edit") && (
                <LinkButton
                  icon="play"
                  to={`/domain-validation/start?organization=${validation.organization_id}&domain=${validation.domain}`}
                >
                  {validation.challenge ? "Another method" : "Validate again"}
                </LinkButton>
              )
            }
          />
          <Tabs tabs={tabs} label="Validation" />
          <Content validation={validation} tab={tab} />
        </>
      )}
    </Loaded>
  );
}
