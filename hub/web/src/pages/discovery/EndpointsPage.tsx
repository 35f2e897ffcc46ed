import type { EndpointRow } from "../../api/types";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { ENDPOINT_COLUMNS } from "./columns";

const rowKey = (row: EndpointRow) => String(row.id);

const VIEWS = [
  { id: "there", label: "There now", filters: () => [{ column: "present", op: "eq" as const, value: "true" }] },
  { id: "gone", label: "Gone", filters: () => [{ column: "present", op: "eq" as const, value: "false" }] },
  { id: "external", label: "External", filters: () => [{ column: "inventory", op: "eq" as const, value: "External" }] },
];

export function EndpointsPage() {
  return (
    <>
      <PageHeader title="Endpoints">TLS ports as they were seen last, and the certificates they served.</PageHeader>
      <Grid
        name="endpoints"
        label="endpoints"
        root="discovery"
        path="/discovery/endpoints"
        columns={ENDPOINT_COLUMNS}
        views={VIEWS}
        rowKey={rowKey}
        defaultSort="-id"
        searchLabel="Search addresses and names"
        searchFrom={3}
        empty={{ title: "No endpoints yet", icon: "endpoint", text: "Scans of the network discovery tasks fill this list." }}
      />
    </>
  );
}
