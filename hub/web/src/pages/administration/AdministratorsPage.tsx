import { useMay } from "../../api/session";
import type { AdministratorRow } from "../../api/types";
import { Badge } from "../../components/Badge";
import { LinkButton } from "../../components/Button";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";

const TYPES: Readonly<Record<string, string>> = {
  standard: "Standard",
  idp_user: "Identity provider",
  idp_template: "Template",
  api: "API",
};

const COLUMNS: readonly GridColumn<AdministratorRow>[] = [
  { name: "username", label: "User name" },
  { name: "name", label: "Name" },
  { name: "email", label: "E-mail", width: 220 },
  { name: "type", label: "Type", kind: "enum", choices: Object.keys(TYPES), render: (row) => TYPES[row.type] ?? row.type },
  {
    name: "active",
    label: "Status",
    kind: "bool",
    width: 120,
    render: (row) => (row.active ? <Badge tone="ok">Active</Badge> : <Badge tone="idle">Inactive</Badge>),
  },
  { name: "last_login_at", label: "Last sign-in", kind: "time" },
  { name: "created_at", label: "Created", kind: "time" },
  { name: "id", label: "ID", kind: "int", hidden: true },
];

const rowKey = (row: AdministratorRow) => String(row.id);
const rowHref = (row: AdministratorRow) => `/administrators/${row.id}`;

export function AdministratorsPage() {
  const may = useMay();
  return (
    <>
      <PageHeader
        title="Administrators"
        actions={
          may("administrators.create") && (
            <LinkButton to="/administrators/new" variant="primary" icon="plus">
              Add administrator
            </LinkButton>
          )
        }
      />
      <Grid
        name="administrators"
        label="administrators"
        root="administrators"
        path="/administrators"
        columns={COLUMNS}
        rowKey={rowKey}
        rowHref={rowHref}
        defaultSort="username"
        searchLabel="Search administrators"
        empty={{ title: "No administrators", icon: "people" }}
      />
    </>
  );
}
