import type { CommandRow } from "../../api/types";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { COMMAND_COLUMNS, COMMAND_VIEWS } from "./columns";

const rowKey = (row: CommandRow) => row.id;
const rowHref = (row: CommandRow) => `/commands/${row.id}`;

export function CommandsPage() {
  return (
    <>
      <PageHeader title="Commands" />
      <Grid
        name="commands"
        label="commands"
        root="commands"
        path="/commands"
        columns={COMMAND_COLUMNS}
        views={COMMAND_VIEWS}
        rowKey={rowKey}
        rowHref={rowHref}
        defaultSort="-created_at"
        searchLabel="Search commands"
        searchFrom={3}
        empty={{
          title: "No commands yet",
          icon: "command",
          text: "Every order to an agent is a durable row: what was asked, how far it is, and how it ended.",
        }}
      />
    </>
  );
}
