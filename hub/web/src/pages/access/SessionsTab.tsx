import type { SessionRow } from "../../api/types";
import { Grid } from "../../components/grid/Grid";
import { sessionColumns } from "../administration/sessionColumns";

const COLUMNS = sessionColumns("/sessions");

const rowKey = (row: SessionRow) => row.id;

export function SessionsTab() {
  return (
    <Grid
      name="sessions"
      label="sessions"
      root="sessions"
      path="/sessions"
      columns={COLUMNS}
      rowKey={rowKey}
      defaultSort="-last_seen_at"
      searchLabel="Search administrators"
      empty={{ title: "Nobody is signed in", icon: "user" }}
    />
  );
}
