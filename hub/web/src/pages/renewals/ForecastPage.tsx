import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";

import { get } from "../../api/client";
import { Icon } from "../../components/Icon";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Panel } from "../../components/Panel";
import { PlainTable } from "../../components/PlainTable";
import { OrganizationPicker } from "../../forms/pickers";
import { ForecastChart } from "./ForecastChart";
import { moneyText, QuotasPanel } from "./QuotasPanel";
import type { Forecast } from "./types";
import { type TermId, TERMS } from "./vocabulary";
import { monthsOf } from "./weeks";

const number = (value: number): string => value.toLocaleString("en");

interface Choice {
  label: string;
  options: readonly { id: string; label: string }[];
  value: string;
  onChange: (id: string) => void;
}

function Switch({ label, options, value, onChange }: Choice) {
  return (
    <div className="switch" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.id}
          type="button"
          className="switch-option"
          aria-pressed={option.id === value}
          onClick={() => {
            onChange(option.id);
          }}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}

function Months({ forecast }: { forecast: Forecast }) {
  const columns = [
    { label: "Month", cell: (row: ReturnType<typeof monthsOf>[number]) => <span className="num">{row.month}</span> },
    ...forecast.backends.map((backend, index) => ({
      label: backend.name,
      cell: (row: ReturnType<typeof monthsOf>[number]) => <span className="num">{number(row.parts[index] ?? 0)}</span>,
    })),
    { label: "Busiest day", cell: (row: ReturnType<typeof monthsOf>[number]) => <span className="num">{number(row.busiest)}</span> },
    { label: "Domain validations", cell: (row: ReturnType<typeof monthsOf>[number]) => <span className="num">{number(row.validations)}</span> },
  ];
  return (
    <PlainTable
      title="Renewals a month"
      rows={monthsOf(forecast)}
      rowKey={(row) => row.month}
      columns={columns}
      empty="Nothing is renewed."
    />
  );
}

function Backends({ forecast }: { forecast: Forecast }) {
  return (
    <PlainTable
      title="CAs"
      rows={forecast.backends}
      rowKey={(row) => String(row.backend_id)}
      empty="No certificate is in service."
      columns={[
        { label: "CA", cell: (row) => row.name },
        { label: "Certificates", cell: (row) => <span className="num">{number(row.certificates)}</span> },
        { label: "Renewals", cell: (row) => <span className="num">{number(row.renewals.reduce((a, b) => a + b, 0))}</span> },
        { label: "Cost", cell: (row) => (row.cost_cents === null ? "—" : moneyText(row.cost_cents, row.currency)) },
        {
          label: "What it means",
          cell: (row) => <span className={row.breaks_on ? "tone-bad" : ""}>{row.sentence}</span>,
        },
      ]}
    />
  );
}

function Agents({ forecast }: { forecast: Forecast }) {
  return (
    <PlainTable
      title="Agents that have the keys"
      rows={[...forecast.agents].sort((a, b) => b.total - a.total)}
      rowKey={(row) => row.agent_id}
      empty="No agent has a key."
      columns={[
        { label: "Agent", cell: (row) => row.name },
        { label: "Renewals", cell: (row) => <span className="num">{number(row.total)}</span> },
        { label: "Busiest day", cell: (row) => <span className="num">{number(row.peak)}</span> },
      ]}
    />
  );
}

function Shown({ forecast, daily, onDaily }: { forecast: Forecast; daily: boolean; onDaily: (daily: boolean) => void }) {
  const broken = forecast.breaks_on !== null;
  const unit = (
    <Switch
      label="Bars"
      options={[
        { id: "week", label: "Weeks" },
        { id: "day", label: "Days" },
      ]}
      value={daily ? "day" : "week"}
      onChange={(id) => {
        onDaily(id === "day");
      }}
    />
  );
  return (
    <div className="stack">
      <div className="notice" data-tone={broken ? "bad" : "info"} role="status">
        <Icon name={broken ? "error" : "check"} className={broken ? "tone-bad" : "tone-ok"} />
        <div>
          <strong>{forecast.sentence}</strong>
          {broken && forecast.backends.filter((item) => item.breaks_on).map((item) => <p key={item.name}>{item.sentence}</p>)}
        </div>
      </div>
      <Panel title={daily ? "Renewals a day" : "Renewals a week"} actions={unit}>
        <ForecastChart forecast={forecast} daily={daily} />
      </Panel>
      <Backends forecast={forecast} />
      <div className="columns">
        <Months forecast={forecast} />
        <div className="stack">
          <Panel title="Validation of domains">
            <p>{forecast.validations.sentence}</p>
          </Panel>
          <Agents forecast={forecast} />
          <QuotasPanel />
        </div>
      </div>
    </div>
  );
}

export function ForecastPage() {
  const [search, setSearch] = useSearchParams();
  const term = (TERMS.find((item) => item.id === search.get("term"))?.id ?? "current") satisfies TermId;
  const organization = search.get("organization") ?? "";
  const daily = search.get("bars") === "day";
  const set = (name: string, value: string) => {
    setSearch(
      (now) => {
        const next = new URLSearchParams(now);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  };
  const query = useQuery({
    queryKey: ["renewals", "forecast", term, organization],
    queryFn: ({ signal }) => get<Forecast>("/renewals/forecast", { term, organization_id: organization }, signal),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  return (
    <>
      <PageHeader title="Renewal forecast">
        The renewals of the next 365 days if no certificate had a longer term than chosen here.
      </PageHeader>
      <div className="forecast-bar">
        <div className="field">
          <span className="field-label">Longest term</span>
          <Switch
            label="Longest term"
            options={TERMS}
            value={term}
            onChange={(id) => {
              set("term", id === "current" ? "" : id);
            }}
          />
        </div>
        <OrganizationPicker
          empty="All organizations"
          value={organization}
          onChange={(value) => {
            set("organization", value);
          }}
        />
      </div>
      <Loaded query={query}>
        {(forecast) => (
          <Shown
            forecast={forecast}
            daily={daily}
            onDaily={(wanted) => {
              set("bars", wanted ? "day" : "");
            }}
          />
        )}
      </Loaded>
    </>
  );
}
