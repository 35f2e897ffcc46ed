import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { useMay } from "../../api/session";
import { LinkButton } from "../../components/Button";
import { Empty } from "../../components/Empty";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Panel } from "../../components/Panel";
import { useNow } from "../../components/useNow";
import { hourOf } from "../../components/grid/state";
import { Expiring } from "./Expiring";
import { type Figure, fetchFigures, type Figures } from "./figures";
import { StatusBars } from "./StatusBars";

const shown = ({ count, exact }: Figure): string => `${count.toLocaleString("en")}${exact ? "" : "+"}`;

function Tile({ figure, label, to, bad = false }: { figure: Figure; label: string; to: string; bad?: boolean }) {
  const tone = bad && figure.count > 0 ? " tone-bad" : "";
  return (
    <Link className="tile" to={to}>
      <span className={`tile-value${tone}`}>{shown(figure)}</span>
      <span className="tile-label">{label}</span>
    </Link>
  );
}

function Tiles({ figures }: { figures: Figures }) {
  return (
    <div className="tiles">
      <Tile figure={figures.waiting} label="Requests awaiting approval" to="/certificates/ssl?view=waiting" />
      <Tile figure={figures.expiring7} label="Expire within 7 days" to="/certificates/ssl?view=expiring-7" bad />
      <Tile figure={figures.expiring30} label="Within 30 days" to="/certificates/ssl?view=expiring-30" />
      <Tile figure={figures.expiring47} label="Within 47 days" to="/certificates/ssl?view=expiring-47" />
      {figures.agentsOffline && (
        <Tile figure={figures.agentsOffline} label="Agents not connected" to="/agents?view=offline" bad />
      )}
      {figures.commandsFailed && (
        <Tile figure={figures.commandsFailed} label="Commands failed in 7 days" to="/commands?view=failed" bad />
      )}
    </div>
  );
}

export function DashboardPage() {
  const may = useMay();
  const hour = hourOf(useNow());
  const query = useQuery({
    queryKey: ["dashboard", hour],
    queryFn: ({ signal }) =>
      fetchFigures(hour, { agents: may("agents.view"), commands: may("commands.view") }, signal),
  });
  return (
    <>
      <PageHeader
        title="Dashboard"
        actions={
          may("certificates.request") && (
            <LinkButton to="/certificates/ssl/request" variant="primary" icon="plus">
              Request certificate
            </LinkButton>
          )
        }
      />
      <Loaded query={query}>
        {(figures) => (
          <>
            <Tiles figures={figures} />
            <div className="columns">
              <Panel title="Certificates by status">
                {figures.byStatus.length > 0 ? (
                  <StatusBars rows={figures.byStatus} />
                ) : (
                  <Empty title="No certificates yet" icon="certificate">
                    Request one, or have an agent discover those that your servers use.
                  </Empty>
                )}
              </Panel>
              <Expiring hour={hour} />
            </div>
          </>
        )}
      </Loaded>
    </>
  );
}
