import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { UPCOMING_COLUMNS, UPCOMING_VIEWS } from "./columns";
import type { UpcomingRow } from "./types";

const rowKey = (row: UpcomingRow) => String(row.id);
const rowHref = (row: UpcomingRow) => `/renewals/${row.id}`;

export function UpcomingPage() {
  return (
    <>
      <PageHeader title="Upcoming renewals">Certificates that renew themselves, the next one first.</PageHeader>
      <Grid
        name="upcoming-renewals"
        label="renewals"
        root="renewals"
        path="/renewals/upcoming"
        columns={UPCOMING_COLUMNS}
        views={UPCOMING_VIEWS}
        rowKey={rowKey}
        rowHref={rowHref}
        defaultSort="due"
        searchLabel="Search names"
        searchFrom={3}
        empty={{
          title: "Nothing renews itself",
          icon: "renew",
          text: "Switch on automatic renewal in a certificate profile or on a certificate.",
        }}
      />
    </>
  );
}
