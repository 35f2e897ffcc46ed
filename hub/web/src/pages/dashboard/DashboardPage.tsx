import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { get } from "../../api/client";
import { useMay } from "../../api/session";
import type { Dashboard, Share } from "../../api/types";
import { Status } from "../../components/Badge";
import { LinkButton } from "../../components/Button";
import { Empty } from "../../components/Empty";
import { hourOf } from "../../components/grid/state";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Panel } from "../../components/Panel";
import { useNow } from "../../components/useNow";
import { ColumnChart } from "./Columns";
import { Expiring } from "./Expiring";
import { type Figure, fetchFleetFigures, type FleetFigures, listOf, number } from "./figures";
import { dayColumns, monthColumns, windowColumns } from "./overTime";
import { ShareBars, SharePanel } from "./Shares";

const DCV_STATES: Readonly<Record<string, string>> = {
  not_started: "Not Started",
  pending: "Submitted",
  validated: "Validated",
  expiring: "Action Required",
  expired: "Expired",
  failed: "Failed",
};

interface TileProps {
  figure: Figure;
  label: string;
  to: string;
  bad?: boolean;
}

function Tile({ figure, label, to, bad = false }: TileProps) {
  const tone = bad && figure.count > 0 ? " tone-bad" : "";
  return (
    <Link className="tile" to={to}>
      <span className={`tile-value${tone}`}>
        {number(figure.count)}
        {figure.exact ? "" : "+"}
      </span>
      <span className="tile-label">{label}</span>
    </Link>
  );
}

function Tiles({ figures, fleet }: { figures: Dashboard; fleet: FleetFigures | undefined }) {
  const ofStatus = (status: string): Figure => ({
    count: figures.statuses.find((share) => share.label === status)?.count ?? 0,
    exact: true,
  });
  const soon = figures.expiring.filter((window) => window.days <= 47);
  return (
    <div className="tiles">
      <Tile figure={ofStatus("Requested")} label="Requests awaiting approval" to="/certificates/ssl?view=waiting" />
      {soon.map((window) => (
        <Tile
          key={window.days}
          figure={{ count: window.managed + window.other, exact: true }}
          label={`Expire within ${window.days} days`}
          to={listOf("/certificates/ssl", window.filters, "expires")}
          bad={window.days <= 7}
        />
      ))}
      <Tile figure={ofStatus("Revoked")} label="Revoked" to={listOf("/certificates/ssl", ["status:eq:Revoked"])} />
      {fleet?.agentsOffline && (
        <Tile figure={fleet.agentsOffline} label="Agents not connected" to="/agents?view=offline" bad />
      )}
      {fleet?.commandsFailed && (
        <Tile figure={fleet.commandsFailed} label="Commands failed in 7 days" to="/commands?view=failed" bad />
      )}
    </div>
  );
}

const status = (share: Share) => <Status value={share.label} />;
const shares = (items: Dashboard["statuses"]): Share[] => items.map((item) => ({ filters: [], ...item }));

function OverTime({ figures, hour }: { figures: Dashboard; hour: number }) {
  return (
    <div className="columns">
      <Panel title="Expiring certificates" foot="In use: issued here, or found on a server.">
        <ColumnChart columns={windowColumns(figures)} legend={["Issued here", "Issued by others"]} />
      </Panel>
      <Panel title="Expiring, day by day">
        <ColumnChart columns={dayColumns(figures)} legend={["Expire"]} />
      </Panel>
      <Panel title="Requested and issued">
        <ColumnChart columns={monthColumns(figures)} legend={["Requested", "Issued"]} />
      </Panel>
      <Expiring hour={hour} />
    </div>
  );
}

function Composition({ figures }: { figures: Dashboard }) {
  const validations = figures.validations;
  return (
    <div className="columns columns-narrow">
      <Panel title="Certificates by status">
        <ShareBars shares={shares(figures.statuses)} label={status} />
      </Panel>
      <SharePanel title="Requests" shares={shares(figures.requests)} label={status} />
      <SharePanel title="Types of managed certificates" shares={shares(figures.types)} />
      <SharePanel title="Validation levels" shares={shares(figures.validation_levels)} />
      <SharePanel title="Profiles" shares={shares(figures.profiles)} />
      <SharePanel title="CAs" shares={shares(figures.authorities)} />
      <SharePanel title="Terms" shares={shares(figures.terms)} />
      <SharePanel title="Organizations" shares={shares(figures.organizations)} />
      <SharePanel title="Key strength" shares={shares(figures.key_strengths)} />
      <SharePanel title="Signature algorithms" shares={shares(figures.signature_algorithms)} />
      <SharePanel title="Public key algorithms" shares={shares(figures.key_algorithms)} />
      {validations && (
        <>
          <SharePanel
            title="Domain validation"
            path="/domain-validation"
            shares={shares(validations.states)}
            label={(share) => <Status value={DCV_STATES[share.label] ?? share.label} />}
          />
          <SharePanel title="Expiring domain validation" path="/domain-validation" shares={shares(validations.expiring)} />
        </>
      )}
    </div>
  );
}

function Figures({ figures, hour }: { figures: Dashboard; hour: number }) {
  if (figures.total === 0) {
    return (
      <Panel title="Certificates">
        <Empty title="No certificates yet" icon="certificate">
          Request one, or have an agent discover those that your servers use.
        </Empty>
      </Panel>
    );
  }
  return (
    <>
      <OverTime figures={figures} hour={hour} />
      <Composition figures={figures} />
    </>
  );
}

export function DashboardPage() {
  const may = useMay();
  const hour = hourOf(useNow());
  const query = useQuery({
    queryKey: ["certificates", "dashboard", hour],
    queryFn: ({ signal }) => get<Dashboard>("/dashboard", {}, signal),
  });
  const fleet = useQuery({
    queryKey: ["dashboard", "fleet", hour],
    queryFn: ({ signal }) =>
      fetchFleetFigures(hour, { agents: may("agents.view"), commands: may("commands.view") }, signal),
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
            <Tiles figures={figures} fleet={fleet.data} />
            <Figures figures={figures} hour={hour} />
          </>
        )}
      </Loaded>
    </>
  );
}
