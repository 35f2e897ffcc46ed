import { useMay } from "../../api/session";
import type { ProviderRow } from "../../api/types";
import { Badge } from "../../components/Badge";
import { DialogButton } from "../../components/DialogButton";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { OidcDialog } from "./OidcDialog";
import { SamlDialog } from "./SamlDialog";

export const KIND_WORDS: Readonly<Record<string, string>> = { saml: "SAML 2.0", oidc: "OpenID Connect" };

const COLUMNS: readonly GridColumn<ProviderRow>[] = [
  { name: "label", label: "Label", width: 220 },
  { name: "name", label: "Name", width: 180 },
  { name: "kind", label: "Kind", kind: "enum", choices: ["saml", "oidc"], render: (row) => KIND_WORDS[row.kind] },
  {
    name: "active",
    label: "Status",
    kind: "bool",
    width: 120,
    render: (row) => (row.active ? <Badge tone="ok">Active</Badge> : <Badge tone="idle">Inactive</Badge>),
  },
  { name: "created_at", label: "Created", kind: "time" },
];

const rowKey = (row: ProviderRow) => String(row.id);
const rowHref = (row: ProviderRow) => `/access/providers/${row.id}`;

export function ProvidersTab() {
  const may = useMay();
  return (
    <Grid
      name="identity-providers"
      label="identity providers"
      root="providers"
      path="/identity-providers"
      columns={COLUMNS}
      rowKey={rowKey}
      rowHref={rowHref}
      defaultSort="name"
      toolbar={() =>
        may("identity_providers.edit") && (
          <>
            <DialogButton small icon="plus" label="Add SAML">
              {(close) => <SamlDialog onClose={close} />}
            </DialogButton>
            <DialogButton small icon="plus" label="Add OpenID Connect">
              {(close) => <OidcDialog onClose={close} />}
            </DialogButton>
          </>
        )
      }
      empty={{
        title: "No identity providers",
        icon: "people",
        text: "Administrators sign in with accounts of a SAML 2.0 or OpenID Connect provider.",
      }}
    />
  );
}
