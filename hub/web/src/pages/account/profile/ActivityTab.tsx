import type { ActivityRow } from "../../../api/types";
import type { GridColumn } from "../../../components/grid/columns";
import { Grid } from "../../../components/grid/Grid";
import { browserWords } from "../../administration/sessionWords";

const COLUMNS: readonly GridColumn<ActivityRow>[] = [
  { name: "at", label: "Time", kind: "time", width: 260 },
  { name: "action", label: "What", sortable: false, render: () => "Signed in" },
  { name: "remote", label: "Address", sortable: false, render: (row) => <span className="mono">{row.remote}</span> },
  {
    name: "user_agent",
    label: "Browser",
    sortable: false,
    width: 260,
    render: (row) => <span title={row.user_agent}>{browserWords(row.user_agent)}</span>,
  },
];

const rowKey = (row: ActivityRow) => String(row.sequence);

export function ActivityTab() {
  return (
    <Grid
      name="activity"
      label="sign-ins"
      root="profile"
      path="/profile/activity"
      columns={COLUMNS}
      rowKey={rowKey}
      defaultSort="-sequence"
      empty={{ title: "No sign-ins yet", icon: "clock", text: "When and from where you signed in is listed here." }}
    />
  );
}
