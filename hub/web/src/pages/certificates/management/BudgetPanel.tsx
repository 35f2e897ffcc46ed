import { useQuery } from "@tanstack/react-query";

import { get } from "../../../api/client";
import type { Certificate } from "../../../api/types";
import { LinkButton } from "../../../components/Button";
import { Panel } from "../../../components/Panel";
import { Expiry } from "../../../components/Time";
import { ChainList } from "../../renewals/Chain";
import { hoursText, hoursTone } from "../../renewals/vocabulary";
import type { Budget } from "../types";

/** The hours until an outage if nothing works from now on, and what the renewal hangs on. */
export function BudgetPanel({ certificate }: { certificate: Certificate }) {
  const budget = useQuery({
    queryKey: ["renewals", "budget", String(certificate.id)],
    queryFn: ({ signal }) => get<Budget>(`/certificates/${certificate.id}/outage-budget`, {}, signal),
    // Certificates that serve nothing have none; that is no fault of this page.
    retry: false,
  });
  if (!budget.data) return null;
  const { hours_left: hours, outage_at: end, links } = budget.data;
  const tone = hoursTone(hours);
  return (
    <Panel
      title="Outage budget"
      actions={
        <LinkButton small variant="quiet" to={`/renewals/${certificate.id}`}>
          Renewal in full
        </LinkButton>
      }
    >
      <div className="stack">
        <p>
          <strong className={tone ? `tone-${tone}` : undefined}>{hoursText(hours)}</strong>{" "}
          {hours < 0 ? "since the certificate that is served expired." : "until an outage if nothing works from now on: "}
          {hours >= 0 && <Expiry value={end} />}
        </p>
        <ChainList links={links} />
      </div>
    </Panel>
  );
}
