import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "react-router";

import { get, patch } from "../../api/client";
import { useMay } from "../../api/session";
import type { Administrator, SessionRow } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Grid } from "../../components/grid/Grid";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { Tabs, useTab } from "../../components/Tabs";
import { Time } from "../../components/Time";
import { useToast } from "../../components/toasts";
import { AdministratorActions } from "./AdministratorActions";
import { AdministratorForm } from "./AdministratorForm";
import { draftOf, toChange, TYPE_WORDS } from "./administratorDraft";
import { AuditGrid } from "./AuditGrid";
import { CONTACT_FIELDS } from "./contact";
import { GrantList } from "./GrantList";
import { usePrivileges } from "./PrivilegesEditor";
import { sessionColumns } from "./sessionColumns";

export function useAdministrator() {
  const { id = "" } = useParams();
  return useQuery({
    queryKey: ["administrators", "one", id],
    queryFn: ({ signal }) => get<Administrator>(`/administrators/${id}`, {}, signal),
  });
}

function Privileges({ administrator }: { administrator: Administrator }) {
  const query = usePrivileges();
  const held = (query.data ?? []).filter((item) => administrator.privileges.includes(item.name));
  return (
    <Panel title="Privileges">
      {held.length === 0 ? (
        <p className="muted">None beyond what the roles allow.</p>
      ) : (
        <ul className="stack-s">
          {held.map((item) => (
            <li key={item.name}>
              <strong>{item.title}</strong> <span className="muted small">{item.description}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Details({ administrator }: { administrator: Administrator }) {
  return (
    <div className="columns">
      <div className="stack">
        <Panel title="Account">
          <Facts
            items={[
              ["User name", administrator.username],
              ["Type", TYPE_WORDS[administrator.type] ?? administrator.type],
              ["E-mail", administrator.email],
              ["Password", administrator.must_change_password ? "To be changed at the next sign-in" : null],
              ["Last sign-in", <Time key="last" value={administrator.last_login_at} />],
              ["Created", <Time key="created" value={administrator.created_at} />],
              ["Created by", administrator.created_by],
              ["Deactivated", administrator.deactivated_at && <Time value={administrator.deactivated_at} />],
              ...CONTACT_FIELDS.map(({ name, label }) => [label, administrator[name]] as const),
            ]}
          />
        </Panel>
      </div>
      <div className="stack">
        <Panel title="Roles">
          <GrantList grants={administrator.grants} />
        </Panel>
        <Privileges administrator={administrator} />
      </div>
    </div>
  );
}

const SESSION_COLUMNS = sessionColumns("/sessions");
const sessionKey = (row: SessionRow) => row.id;

function Sessions({ administrator }: { administrator: Administrator }) {
  return (
    <Grid
      name="administrator-sessions"
      label="sessions"
      root="sessions"
      path="/sessions"
      base={[{ column: "administrator_id", op: "eq", value: String(administrator.id) }]}
      columns={SESSION_COLUMNS}
      rowKey={sessionKey}
      defaultSort="-last_seen_at"
      empty={{ title: "Not signed in anywhere", icon: "user" }}
    />
  );
}

export function AdministratorPage() {
  const may = useMay();
  const query = useAdministrator();
  const tabs = [
    { id: "details", label: "Details" },
    ...(may("sessions.view") ? [{ id: "sessions", label: "Sessions" }] : []),
    ...(may("audit.view") ? [{ id: "audit", label: "Audit" }] : []),
  ];
  const tab = useTab(tabs);
  return (
    <Loaded query={query}>
      {(administrator) => (
        <>
          <PageHeader
            title={administrator.name}
            aside={administrator.active ? <Badge tone="ok">Active</Badge> : <Badge tone="idle">Inactive</Badge>}
            actions={<AdministratorActions administrator={administrator} />}
          />
          <Tabs tabs={tabs} label="Administrator" />
          {tab === "details" && <Details administrator={administrator} />}
          {tab === "sessions" && <Sessions administrator={administrator} />}
          {tab === "audit" && <AuditGrid type="administrator" id={String(administrator.id)} />}
        </>
      )}
    </Loaded>
  );
}

export function AdministratorEditPage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const query = useAdministrator();
  const privileges = usePrivileges();
  return (
    <Loaded query={query}>
      {(administrator) => {
        const before = draftOf(administrator);
        const back = `/administrators/${administrator.id}`;
        return (
          <>
            <PageHeader title={`Edit ${administrator.name}`} />
            <AdministratorForm
              isNew={false}
              initial={before}
              back={back}
              save={async (draft) => {
                await patch(`/administrators/${administrator.id}`, toChange(draft, before, privileges.data ?? []));
                await client.invalidateQueries({ queryKey: ["administrators"] });
                toast("Saved");
                await navigate(back);
              }}
            />
          </>
        );
      }}
    </Loaded>
  );
}
