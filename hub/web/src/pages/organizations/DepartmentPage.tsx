import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "react-router";

import { get, patch } from "../../api/client";
import { useMay } from "../../api/session";
import type { DepartmentRow } from "../../api/types";
import { Status } from "../../components/Badge";
import { DialogButton } from "../../components/DialogButton";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { Tabs, useTab } from "../../components/Tabs";
import { Time } from "../../components/Time";
import { SchemaDialog } from "../../forms/SchemaDialog";
import { TypeSettings } from "./TypeSettings";

const TABS = [
  { id: "details", label: "Details" },
  { id: "settings", label: "Settings per type" },
] as const;

const ADDRESS = ["street", "locality", "state", "postal_code", "country"] as const;
const FIELDS = ["name", ...ADDRESS, "status"] as const;

function EditButton({ department, path }: { department: DepartmentRow; path: string }) {
  const client = useQueryClient();
  const before: Record<string, unknown> = Object.fromEntries(
    FIELDS.map((name) => {
      // An inherited address must not become the department's own by saving something else.
      const inherited = !department.own_address && ADDRESS.some((field) => field === name);
      return [name, inherited ? "" : department[name]];
    }),
  );
  return (
    <DialogButton icon="edit" label="Edit">
      {(close) => (
        <SchemaDialog
          schema="DepartmentChange"
          title="Edit department"
          confirm="Save"
          done="Saved"
          fields={FIELDS}
          overrides={{ street: { hint: "All address fields empty: the organization's address." } }}
          initial={before}
          run={async (values) => {
            const changed = FIELDS.filter((name) => values[name] !== before[name]);
            await patch(path, Object.fromEntries(changed.map((name) => [name, values[name] ?? ""])));
            await client.invalidateQueries({ queryKey: ["organizations"] });
          }}
          onClose={close}
        />
      )}
    </DialogButton>
  );
}

function Details({ department }: { department: DepartmentRow }) {
  return (
    <Panel title={department.own_address ? "Address" : "Address of the organization"}>
      <Facts
        items={[
          ["Street", department.street],
          ["City", department.locality],
          ["State or province", department.state],
          ["Postal code", department.postal_code],
          ["Country", department.country],
          ["Key recovery by", department.key_recovery.join(", ")],
          ["Created", <Time key="created" value={department.created_at} />],
        ]}
      />
    </Panel>
  );
}

export function DepartmentPage() {
  const { id = "", departmentId = "" } = useParams();
  const may = useMay();
  const tab = useTab(TABS);
  const path = `/organizations/${id}/departments/${departmentId}`;
  const query = useQuery({
    queryKey: ["organizations", "department", departmentId],
    queryFn: ({ signal }) => get<DepartmentRow>(path, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(department) => (
        <>
          <PageHeader
            title={department.name}
            aside={<Status value={department.status} />}
            actions={may("departments.edit") && <EditButton department={department} path={path} />}
          />
          <Tabs tabs={TABS} label="Department" />
          {tab === "details" && <Details department={department} />}
          {tab === "settings" && <TypeSettings path={`${path}/settings`} isDepartment />}
        </>
      )}
    </Loaded>
  );
}
