import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { get } from "../../api/client";
import type { Certificate } from "../../api/types";
import { Badge, Status } from "../../components/Badge";
import { LinkButton } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { PlainTable } from "../../components/PlainTable";
import { Expiry, Time } from "../../components/Time";
import { ChainList } from "./Chain";
import type { Budget, Renewal } from "./types";
import { hoursText, hoursTone, LINK_LABELS, LINK_TONES } from "./vocabulary";

function Why({ renewal }: { renewal: Renewal }) {
  const failed = renewal.renewal_state === "Failed";
  return (
    <Panel title="Why it was (not) renewed">
      <div className="stack">
        <div className="notice" data-tone={failed ? "bad" : "info"}>
          <Icon name={failed ? "error" : "info"} className={failed ? "tone-bad" : ""} />
          <div>
            <strong>{renewal.sentence}</strong>
            {renewal.instruction && <p>{renewal.instruction}</p>}
          </div>
        </div>
        <Facts
          items={[
            ["State", <Status key="state" value={renewal.renewal_state} />],
            ["Due", renewal.due_at && <Time value={renewal.due_at} />],
            ["Planned", renewal.plan?.sentence],
            ["Safe until", renewal.plan && <Time value={renewal.plan.latest_safe_at} />],
            ["Failed tries", renewal.attempts_made > 0 ? renewal.attempts_made : null],
          ]}
        />
      </div>
    </Panel>
  );
}

function Attempts({ renewal }: { renewal: Renewal }) {
  return (
    <PlainTable
      title="Trail"
      rows={renewal.attempts}
      rowKey={(row) => `${row.at}${row.outcome}`}
      empty="Nothing has happened yet."
      columns={[
        { label: "When", cell: (row) => <Time value={row.at} /> },
        { label: "Outcome", cell: (row) => row.outcome },
        { label: "What happened", cell: (row) => row.sentence },
      ]}
    />
  );
}

function BudgetFacts({ budget }: { budget: Budget }) {
  const tone = hoursTone(budget.hours_left);
  const more = budget.services_total - budget.services.length;
  return (
    <Panel title="Outage budget">
      <div className="stack">
        <p className={`budget-figure ${tone ? `tone-${tone}` : ""}`}>{hoursText(budget.hours_left)}</p>
        <p className="muted">
          {budget.hours_left < 0 ? "The certificate that is served has expired." : "until an outage if nothing works from now on."}
        </p>
        <Facts
          items={[
            ["Ends", <Expiry key="end" value={budget.outage_at} />],
            ["Service", budget.services.length > 0 ? `${budget.services.join(", ")}${more > 0 ? ` and ${more} more` : ""}` : null],
            ["Weakest link", <Badge key="state" tone={LINK_TONES[budget.state]}>{LINK_LABELS[budget.state]}</Badge>],
          ]}
        />
      </div>
    </Panel>
  );
}

/** One certificate's renewal: why, the hours left, and the chain that it hangs on. */
export function RenewalPage() {
  const { id = "" } = useParams();
  const certificate = useQuery({
    queryKey: ["certificates", "one", id],
    queryFn: ({ signal }) => get<Certificate>(`/certificates/${id}`, {}, signal),
  });
  const budget = useQuery({
    queryKey: ["renewals", "budget", id],
    queryFn: ({ signal }) => get<Budget>(`/certificates/${id}/outage-budget`, {}, signal),
  });
  const renewal = useQuery({
    queryKey: ["renewals", "why", id],
    queryFn: ({ signal }) => get<Renewal>(`/certificates/${id}/renewal`, {}, signal),
  });
  return (
    <>
      <PageHeader
        title={certificate.data?.common_name ?? `Certificate ${id}`}
        aside={certificate.data && <Status value={certificate.data.status} />}
        actions={
          <LinkButton to={`/certificates/ssl/${id}`} icon="certificate">
            Open certificate
          </LinkButton>
        }
      />
      <div className="columns">
        <div className="stack">
          <Loaded query={budget}>{(found) => <BudgetFacts budget={found} />}</Loaded>
          <Loaded query={renewal}>{(found) => <Why renewal={found} />}</Loaded>
        </div>
        <div className="stack">
          {budget.data && (
            <Panel title="What the renewal hangs on">
              <ChainList links={budget.data.links} />
            </Panel>
          )}
          {renewal.data && <Attempts renewal={renewal.data} />}
        </div>
      </div>
    </>
  );
}
