import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { useAgents } from "../../api/choices";
import { get } from "../../api/client";
import type { ScanRow, Task } from "../../api/types";
import { Status } from "../../components/Badge";
import { Grid } from "../../components/grid/Grid";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { Tabs, useTab } from "../../components/Tabs";
import { Time } from "../../components/Time";
import { AgentLink } from "../agents/AgentLink";
import { SCAN_COLUMNS } from "./columns";
import { rangesText } from "./ranges";
import { ScanPanel } from "./ScanPanel";
import { TaskActions } from "./TaskActions";

const TABS = [
  { id: "history", label: "Scans" },
  { id: "details", label: "Details" },
] as const;

const rowKey = (row: ScanRow) => String(row.id);
const rowHref = (row: ScanRow) => `/discovery/scans/${row.id}`;

function Details({ task }: { task: Task }) {
  const agents = useAgents("network");
  const agent = agents.data?.find((item) => item.id === task.agent_id);
  return (
    <Panel title="Task">
      <Facts
        items={[
          ["Agent", <AgentLink key="agent" name={agent?.name ?? task.agent_id} id={task.agent_id} />],
          ["Ranges to scan", <pre key="ranges" className="code-block">{rangesText(task.ranges)}</pre>],
          ["Left out", task.exclusions.join(", ")],
          ["Schedule", task.schedule === "manual" ? "Manual" : task.schedule],
          ["Created by", task.created_by],
          ["Created", <Time key="created" value={task.created_at} />],
          ["Changed", <Time key="changed" value={task.updated_at} />],
        ]}
      />
    </Panel>
  );
}

export function TaskPage() {
  const { id = "" } = useParams();
  const tab = useTab(TABS);
  const query = useQuery({
    queryKey: ["discovery", "task", id],
    queryFn: ({ signal }) => get<Task>(`/discovery/tasks/${id}`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(task) => (
        <>
          <PageHeader
            title={task.name}
            aside={<Status value={task.status} />}
            actions={<TaskActions task={task} />}
          />
          {task.last_scan_id !== null && <ScanPanel id={String(task.last_scan_id)} title="Latest scan" linked />}
          <Tabs tabs={TABS} label="Task" />
          {tab === "details" ? (
            <Details task={task} />
          ) : (
            <Grid
              name="scans"
              label="scans"
              root="discovery"
              path={`/discovery/tasks/${id}/scans`}
              columns={SCAN_COLUMNS}
              rowKey={rowKey}
              rowHref={rowHref}
              defaultSort="-id"
              empty={{ title: "Not scanned yet", icon: "discovery", text: "Start the first scan with Scan." }}
            />
          )}
        </>
      )}
    </Loaded>
  );
}
