import type { Location } from "../../api/types";
import { Badge } from "../../components/Badge";
import { PlainTable } from "../../components/PlainTable";
import { Time } from "../../components/Time";
import { AgentLink } from "../agents/AgentLink";

const KINDS: Readonly<Record<string, string>> = {
  network_host: "Network host",
  network_agent: "Network agent",
  server_node: "Server node",
  private_key_agent: "Private key store",
  custom: "Custom",
};

function place(location: Location): string {
  const address = location.address && `${location.address}${location.port ? `:${location.port}` : ""}`;
  return [address, location.name, location.hostname].filter(Boolean).join(" · ");
}

export function Locations({ locations }: { locations: readonly Location[] }) {
  return (
    <PlainTable
      title="Locations"
      empty="It has not been seen anywhere, and no agent holds it."
      rows={locations}
      rowKey={(location) => `${location.kind}/${location.agent_id}/${place(location)}`}
      columns={[
        { label: "Kind", cell: (location) => KINDS[location.kind] ?? location.kind },
        { label: "Place", cell: (location) => <span className="breakable">{place(location) || "—"}</span> },
        { label: "Agent", cell: (location) => <AgentLink name={location.agent} id={location.agent_id || null} /> },
        { label: "Private key", cell: (location) => (location.has_private_key ? "Yes" : "No") },
        { label: "First seen", cell: (location) => <Time value={location.first_seen} show="relative" /> },
        { label: "Last seen", cell: (location) => <Time value={location.last_seen} show="relative" /> },
        {
          label: "Now",
          cell: (location) =>
            location.present ? <Badge tone="ok">There</Badge> : <Badge tone="idle">Gone</Badge>,
        },
      ]}
    />
  );
}
