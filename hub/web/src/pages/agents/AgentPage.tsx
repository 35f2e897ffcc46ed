import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { get } from "../../api/client";
import type { Agent, CommandRow } from "../../api/types";
import { Copy } from "../../components/Copy";
import { Grid } from "../../components/grid/Grid";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { Tabs, useTab } from "../../components/Tabs";
import { Time } from "../../components/Time";
import { AgentActions } from "./AgentActions";
import { AGENT_COMMAND_COLUMNS, AgentStatus, COMMAND_VIEWS } from "./columns";
import { ServersTab } from "./ServersTab";
import { kindWords } from "./vocabulary";

const TABS = [
  { id: "commands", label: "Commands" },
  { id: "servers", label: "Servers and nodes" },
  { id: "details", label: "Details" },
] as const;

const rowKey = (row: CommandRow) => row.id;
const rowHref = (row: CommandRow) => `/commands/${row.id}`;

function Commands({ agent }: { agent: Agent }) {
  return (
    <Grid
      name="agent-commands"
      label="commands"
      root="commands"
      path={`/agents/${agent.id}/commands`}
      columns={AGENT_COMMAND_COLUMNS}
      views={COMMAND_VIEWS}
      rowKey={rowKey}
      rowHref={rowHref}
      defaultSort="-created_at"
      empty={{ title: "No commands yet", icon: "command", text: "What this agent is asked to do is listed here." }}
    />
  );
}

function Details({ agent }: { agent: Agent }) {
  return (
    <div className="columns">
      <Panel title="Agent">
        <Facts
          items={[
            ["Kind", kindWords(agent.kind)],
            ["Host", agent.hostname],
            ["Platform", agent.platform],
            ["Version", agent.version],
            ["Can do", agent.capabilities.join(", ")],
            ["Enrolled", <Time key="enrolled" value={agent.enrolled_at} />],
            ["Connected since", agent.connected && <Time value={agent.connected_at} />],
            ["Last seen", <Time key="seen" value={agent.last_seen_at} />],
            ["Removed", agent.removed_at && <Time value={agent.removed_at} />],
          ]}
        />
      </Panel>
      <Panel title="Identity">
        <Facts
          items={[
            ["ID", <Copy key="id" text={agent.id} label="ID" />],
            ["Certificate until", <Time key="until" value={agent.certificate_not_after} />],
            ["Serial number", <Copy key="serial" text={agent.certificate_serial} label="serial number" />],
            ["SHA-256", <Copy key="sha" text={agent.certificate_sha256} label="SHA-256" />],
            ["Receiver key", <Copy key="key" text={agent.receiver_key_sha256} label="fingerprint" />],
          ]}
        />
      </Panel>
    </div>
  );
}

/** Only network agents have servers. */
const tabsOf = (agent: Agent) => TABS.filter((tab) => tab.id !== "servers" || agent.kind === "network");

function Content({ agent, wanted }: { agent: Agent; wanted: string }) {
  const tabs = tabsOf(agent);
  const tab = tabs.find((item) => item.id === wanted)?.id ?? "commands";
  return (
    <>
      <PageHeader
        title={agent.name}
        aside={<AgentStatus agent={agent} />}
        actions={<AgentActions agent={agent} />}
      >
        {kindWords(agent.kind)} on {agent.hostname || "an unknown host"}
      </PageHeader>
      <Tabs tabs={tabs} label="Agent" />
      {tab === "commands" && <Commands agent={agent} />}
      {tab === "servers" && <ServersTab agent={agent} />}
      {tab === "details" && <Details agent={agent} />}
    </>
  );
}

export function AgentPage() {
  const { id = "" } = useParams();
  const wanted = useTab(TABS);
  const query = useQuery({
    queryKey: ["agents", "one", id],
    queryFn: ({ signal }) => get<Agent>(`/agents/${id}`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(agent) => <Content agent={agent} wanted={wanted} />}
    </Loaded>
  );
}
