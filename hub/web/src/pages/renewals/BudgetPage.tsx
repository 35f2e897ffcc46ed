import { useQuery } from "@tanstack/react-query";

import { get } from "../../api/client";
import { Grid } from "../../components/grid/Grid";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { PlainTable } from "../../components/PlainTable";
import { BUDGET_COLUMNS, BUDGET_VIEWS } from "./columns";
import type { BudgetRow, BudgetSummary, OrganizationFigure } from "./types";
import { hoursText, hoursTone } from "./vocabulary";

const rowKey = (row: BudgetRow) => String(row.id);
const rowHref = (row: BudgetRow) => `/renewals/${row.id}`;
const number = (value: number) => <span className="num">{value.toLocaleString("en")}</span>;

function bad(value: number) {
  return <span className={value > 0 ? "num tone-bad" : "num"}>{value.toLocaleString("en")}</span>;
}

function Next({ figure }: { figure: OrganizationFigure }) {
  if (figure.hours_left === null) return <span className="muted">—</span>;
  const tone = hoursTone(figure.hours_left);
  return <strong className={tone ? `num tone-${tone}` : "num"}>{hoursText(figure.hours_left)}</strong>;
}

function Summary() {
  const query = useQuery({
    queryKey: ["renewals", "budget", "summary"],
    queryFn: ({ signal }) => get<BudgetSummary>("/renewals/outage-budget/summary", {}, signal),
  });
  return (
    <Loaded query={query}>
      {({ organizations }) => (
        <PlainTable
          title="Organizations"
          rows={organizations}
          rowKey={(row) => String(row.organization_id)}
          empty="No certificate is in service."
          columns={[
            { label: "Organization", cell: (row) => row.organization },
            { label: "Until the next outage", cell: (row) => <Next figure={row} /> },
            { label: "In service", cell: (row) => number(row.in_service) },
            { label: "Out now", cell: (row) => bad(row.lapsed) },
            { label: "Within a day", cell: (row) => bad(row.within_day) },
            { label: "7 days", cell: (row) => number(row.within_week) },
            { label: "30 days", cell: (row) => number(row.within_month) },
            { label: "Failed renewals", cell: (row) => bad(row.failed_renewals) },
          ]}
        />
      )}
    </Loaded>
  );
}

export function BudgetPage() {
  return (
    <>
      <PageHeader title="Outage budget">
        How long each service lasts if nothing works from now on, and what its renewal hangs on. The worst first.
      </PageHeader>
      <Summary />
      <Grid
        name="outage-budget"
        label="certificates"
        root="renewals"
        path="/renewals/outage-budget"
        columns={BUDGET_COLUMNS}
        views={BUDGET_VIEWS}
        rowKey={rowKey}
        rowHref={rowHref}
        defaultSort="outage_at"
        searchLabel="Search names"
        searchFrom={3}
        empty={{ title: "No certificate is in service", icon: "certificate", text: "Issued and found certificates appear here." }}
      />
    </>
  );
}
