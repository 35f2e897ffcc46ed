import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";

import { apiUrl, get, patch, remove } from "../../api/client";
import { useMay } from "../../api/session";
import type { Provider } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Badge } from "../../components/Badge";
import { Copy } from "../../components/Copy";
import { DialogButton } from "../../components/DialogButton";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { Tabs, useTab } from "../../components/Tabs";
import { LinksTab } from "./LinksTab";
import { MappingForm } from "./MappingForm";
import { MetadataField } from "./MetadataField";
import { KIND_WORDS } from "./ProvidersTab";

const TABS = [
  { id: "details", label: "Details" },
  { id: "mapping", label: "Mapping and templates" },
  { id: "links", label: "Linked administrators" },
] as const;

const copied = (text: string, label: string) => (text ? <Copy text={text} label={label} /> : null);

function Details({ provider }: { provider: Provider }) {
  const { settings } = provider;
  const metadata = new URL(apiUrl(`/session/saml/${provider.name}/metadata`), location.href).href;
  return (
    <div className="columns">
      <Panel title="For the provider's administrator" foot="Register these at the identity provider.">
        <Facts
          items={[
            ["Entity ID", copied(provider.entity_id, "entity ID")],
            ["Assertions to", copied(provider.acs_url, "address")],
            ["Metadata at", provider.kind === "saml" ? copied(metadata, "address") : null],
            ["Redirect URI", copied(provider.redirect_uri, "address")],
          ]}
        />
      </Panel>
      <Panel title="The provider">
        {"entity_id" in settings ? (
          <Facts
            items={[
              ["Entity ID", settings.entity_id],
              ["Sign-in at", settings.sso_url],
              ["Certificates", String(settings.certificates.length)],
              ["Signed", settings.signed],
              ["Second factor", settings.second_factor === "hub" ? "Asked for here" : "Left to the provider"],
            ]}
          />
        ) : (
          <Facts
            items={[
              ["Issuer", settings.issuer],
              ["Client ID", settings.client_id],
              ["Scopes", settings.scopes.join(" ")],
              ["Private address", settings.private_network ? "Allowed" : "Refused"],
              ["Second factor", settings.second_factor === "hub" ? "Asked for here" : "Left to the provider"],
            ]}
          />
        )}
      </Panel>
    </div>
  );
}

function MetadataDialog({ provider, onClose }: { provider: Provider; onClose: () => void }) {
  const client = useQueryClient();
  const [metadata, setMetadata] = useState("");
  return (
    <ActionDialog
      title="New metadata"
      confirm="Take"
      wide
      disabled={!metadata.trim()}
      done="Metadata taken"
      run={async () => {
        await patch(`/identity-providers/${provider.id}/saml`, { metadata_xml: metadata });
        await client.invalidateQueries({ queryKey: ["providers"] });
      }}
      onClose={onClose}
    >
      <MetadataField value={metadata} onChange={setMetadata} />
    </ActionDialog>
  );
}

function Actions({ provider }: { provider: Provider }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const refresh = () => client.invalidateQueries({ queryKey: ["providers"] });
  return (
    <>
      {provider.kind === "saml" && (
        <DialogButton icon="refresh" label="New metadata">
          {(close) => <MetadataDialog provider={provider} onClose={close} />}
        </DialogButton>
      )}
      <DialogButton label={provider.active ? "Switch off" : "Switch on"}>
        {(close) => (
          <ActionDialog
            title={provider.active ? "Switch off" : "Switch on"}
            confirm={provider.active ? "Switch off" : "Switch on"}
            danger={provider.active}
            done="Saved"
            run={() =>
              patch(`/identity-providers/${provider.id}/${provider.kind}`, { active: !provider.active }).then(refresh)
            }
            onClose={close}
          >
            <p>
              The sign-in page {provider.active ? "no longer offers" : "offers"} <strong>{provider.label}</strong>.
            </p>
          </ActionDialog>
        )}
      </DialogButton>
      <DialogButton icon="trash" variant="danger" label="Delete">
        {(close) => (
          <ActionDialog
            title="Delete identity provider"
            confirm="Delete"
            danger
            done="Identity provider deleted"
            run={async () => {
              await remove(`/identity-providers/${provider.id}`);
              await navigate("/access?tab=providers");
              await refresh();
            }}
            onClose={close}
          >
            <p>Its links go with it; the administrators stay.</p>
          </ActionDialog>
        )}
      </DialogButton>
    </>
  );
}

export function ProviderPage() {
  const { id = "" } = useParams();
  const may = useMay();
  const tab = useTab(TABS);
  const query = useQuery({
    queryKey: ["providers", "one", id],
    queryFn: ({ signal }) => get<Provider>(`/identity-providers/${id}`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(provider) => (
        <>
          <PageHeader
            title={provider.label}
            aside={provider.active ? <Badge tone="ok">Active</Badge> : <Badge tone="idle">Inactive</Badge>}
            actions={may("identity_providers.edit") && <Actions provider={provider} />}
          >
            {KIND_WORDS[provider.kind]}: {provider.name}
          </PageHeader>
          <Tabs tabs={TABS} label="Identity provider" />
          {tab === "details" && <Details provider={provider} />}
          {tab === "mapping" && <MappingForm key={JSON.stringify(provider.settings)} provider={provider} />}
          {tab === "links" && <LinksTab provider={provider} />}
        </>
      )}
    </Loaded>
  );
}
