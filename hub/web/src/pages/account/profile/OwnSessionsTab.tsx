import type { SessionRow } from "../../../api/types";
import { Grid } from "../../../components/grid/Grid";
import { sessionColumns } from "../../administration/sessionColumns";

const COLUMNS = sessionColumns("/profile/sessions");

const rowKey = (row: SessionRow) => row.id;

export function OwnSessionsTab() {
  return (
    <Grid
      name="own-sessions"
      label="sessions"
      root="sessions"
      path="/profile/sessions"
      columns={COLUMNS}
      rowKey={rowKey}
      defaultSort="-last_seen_at"
      empty={{ title: "No sessions", icon: "user" }}
    />
  );
}
