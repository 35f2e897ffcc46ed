import { useParams } from "react-router";

import type { FindRow } from "../../api/types";
import { LinkButton } from "../../components/Button";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { FIND_COLUMNS } from "./columns";
import { ScanPanel, useScan } from "./ScanPanel";

const rowKey = (row: FindRow) => String(row.endpoint_id);

export function ScanPage() {
  const { id = "" } = useParams();
  const scan = useScan(id);
  return (
    <>
      <PageHeader
        title={`Scan ${id}`}
        actions={
          scan.data && (
            <LinkButton to={`/discovery/tasks/${scan.data.task_id}`} icon="back">
              Task
            </LinkButton>
          )
        }
      />
      <ScanPanel id={id} title="Result" />
      <Grid
        name="finds"
        label="finds"
        root="discovery"
        path={`/discovery/scans/${id}/finds`}
        columns={FIND_COLUMNS}
        rowKey={rowKey}
        defaultSort="endpoint_id"
        searchLabel="Search names"
        searchFrom={3}
        empty={{ title: "Nothing found", icon: "endpoint", text: "No port answered in the ranges of this scan." }}
      />
    </>
  );
}
