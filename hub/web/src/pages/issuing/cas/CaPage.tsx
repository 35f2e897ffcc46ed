import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "react-router";

import { download, get, post } from "../../../api/client";
import { asProblem } from "../../../api/problem";
import { useMay } from "../../../api/session";
import type { PrivateCa, PrivateCaDetail } from "../../../api/types";
import { Badge } from "../../../components/Badge";
import { Button } from "../../../components/Button";
import { Copy } from "../../../components/Copy";
import { DialogButton } from "../../../components/DialogButton";
import { Loaded } from "../../../components/Loaded";
import { PageHeader } from "../../../components/PageHeader";
import { Facts, Panel } from "../../../components/Panel";
import { PlainTable } from "../../../components/PlainTable";
import { Expiry, Time } from "../../../components/Time";
import { useToast } from "../../../components/toasts";
import { SchemaDialog } from "../../../forms/SchemaDialog";
import { CaState } from "./CasPage";
import { KEY_STORES, signatureWords } from "./words";

type Change = "rollover" | "revoke" | "crl";

const CHANGES = {
  rollover: {
    label: "New key",
    icon: "refresh",
    schema: "RolloverRequest",
    title: "Give this CA a new key",
    confirm: "Make new key",
    done: "The new key has taken over",
    overrides: { key_type: { label: "Key type" }, key_store: { label: "Key is kept in" }, days: { label: "Lifetime in days" } },
  },
  revoke: {
    label: "Revoke",
    icon: "error",
    schema: "CaRevocation",
    title: "Revoke this issuing CA",
    confirm: "Revoke CA",
    done: "The CA is revoked",
    overrides: {},
  },
  crl: {
    label: "Import CRL",
    icon: "download",
    schema: "CrlImport",
    title: "Import a CRL that the offline CA made",
    confirm: "Import CRL",
    done: "The CRL is published",
    overrides: { crl: { label: "CRL, PEM", wide: true } },
  },
} as const;

function ChangeButton({ ca, change }: { ca: PrivateCaDetail; change: Change }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { label, icon, schema, title, confirm, done, overrides } = CHANGES[change];
  return (
    <DialogButton label={label} icon={icon}>
      {(close) => (
        <SchemaDialog
          schema={schema}
          title={title}
          confirm={confirm}
          done={done}
          overrides={overrides}
          run={async (values) => {
            const changed = await post<PrivateCa>(`/private-cas/${ca.id}/${change}`, values);
            await client.invalidateQueries({ queryKey: ["private-cas"] });
            const waits = changed.state === "awaiting_signature";
            await navigate(waits ? `/private-cas/requests/${changed.id}` : `/private-cas/${changed.id}`);
          }}
          onClose={close}
        />
      )}
    </DialogButton>
  );
}

const TRIAL = { extend: "Extend by 30 days", end: "End trial now", leave: "Leave trial mode" } as const;

function Trial({ ca }: { ca: PrivateCaDetail }) {
  const client = useQueryClient();
  const toast = useToast();
  const change = useMutation({
    mutationFn: (action: keyof typeof TRIAL) => post<PrivateCa>(`/private-cas/${ca.id}/trial`, { action, days: 30 }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["private-cas"] });
      toast("The trial is changed");
    },
    onError: (error) => {
      toast(asProblem(error).message, "bad");
    },
  });
  return (
    <Panel
      title="Trial"
      actions={(Object.keys(TRIAL) as (keyof typeof TRIAL)[]).map((action) => (
        <Button
          key={action}
          small
          busy={change.isPending}
          onClick={() => {
            change.mutate(action);
          }}
        >
          {TRIAL[action]}
        </Button>
      ))}
    >
      <p>
        In trial mode until <Time value={ca.trial_until ?? ""} />. Certificates live 30 days at most; what was issued stays
        valid when the trial ends.
      </p>
    </Panel>
  );
}

function Actions({ ca }: { ca: PrivateCaDetail }) {
  const may = useMay();
  const toast = useToast();
  const edits = may("private_cas.edit");
  const signs = ca.state === "signed" && ca.key_store !== "offline";
  return (
    <>
      <Button
        icon="download"
        onClick={() => {
          download(`/private-cas/${ca.id}/certificate`).catch((error: unknown) => {
            toast(asProblem(error).message, "bad");
          });
        }}
      >
        Download certificate
      </Button>
      {edits && ca.key_store === "offline" && <ChangeButton ca={ca} change="crl" />}
      {edits && signs && <ChangeButton ca={ca} change="rollover" />}
      {edits && signs && ca.role === "issuing" && <ChangeButton ca={ca} change="revoke" />}
    </>
  );
}

const limits = (ca: PrivateCaDetail) => [
  ["Path length", ca.path_length ?? "no limit"] as const,
  ["May certify", ca.permitted_names.join(", ") || "all names"] as const,
  ["May not certify", ca.excluded_names.join(", ")] as const,
  ["Certificate policies", ca.policies.join(", ")] as const,
];

function Crosses({ ca }: { ca: PrivateCaDetail }) {
  const toast = useToast();
  return (
    <PlainTable
      title="Cross-certificates"
      empty="None: this CA never got a new key."
      rows={ca.cross_certificates}
      rowKey={(item) => String(item.id)}
      columns={[
        { label: "Certifies", cell: (item) => (item.kind === "old_with_new" ? "the old key, signed with the new one" : "the new key, signed with the old one") },
        { label: "Serial number", cell: (item) => <Copy text={item.serial} label="serial number" /> },
        { label: "Expires", cell: (item) => <Expiry value={item.not_after} /> },
        {
          label: "Certificate",
          cell: (item) => (
            <Button
              small
              icon="download"
              onClick={() => {
                download(`/private-cas/${ca.id}/cross-certificates/${item.id}`).catch((error: unknown) => {
                  toast(asProblem(error).message, "bad");
                });
              }}
            >
              .cer
            </Button>
          ),
        },
      ]}
    />
  );
}

function Identity({ ca }: { ca: PrivateCaDetail }) {
  return (
    <Panel title="Certificate">
      <Facts
        items={[
          ["Subject", ca.subject],
          ["Issuer", ca.issuer],
          ["Valid from", <Time key="from" value={ca.not_before} />],
          ["Valid until", ca.not_after && <Expiry key="until" value={ca.not_after} />],
          ["Serial number", <Copy key="serial" text={ca.serial} label="serial number" />],
          ["SHA-256", <Copy key="sha" text={ca.sha256} label="SHA-256" />],
          ["Certificate at", <Copy key="aia" text={ca.certificate_url} label="address" />],
          ...limits(ca),
        ]}
      />
    </Panel>
  );
}

function Key({ ca }: { ca: PrivateCaDetail }) {
  return (
    <Panel title="Key and revocation list">
      <Facts
        items={[
          ["Key type", ca.key_type],
          ["Key is kept in", KEY_STORES[ca.key_store]],
          ["Signs with", signatureWords(ca.signature_algorithm)],
          ["Public key SHA-256", <Copy key="spki" text={ca.public_key_sha256} label="public key" />],
          ["CRL at", <Copy key="crl" text={ca.crl_url} label="address" />],
          ["CRL number", ca.crl_number ?? "none yet"],
          ["Next CRL by", ca.crl_next_update && <Time key="next" value={ca.crl_next_update} />],
          ["Parent issuer", ca.parent_id && <Link key="parent" to={`/private-cas/${ca.parent_id}`}>Open</Link>],
          ["CA backend", ca.role === "issuing" && ca.backend_id ? <Link key="backend" to={`/ca-backends/${ca.backend_id}`}>Open</Link> : null],
        ]}
      />
    </Panel>
  );
}

export function CaPage() {
  const { id = "" } = useParams();
  const may = useMay();
  const query = useQuery({
    queryKey: ["private-cas", "one", id],
    queryFn: ({ signal }) => get<PrivateCaDetail>(`/private-cas/${id}`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(ca) => (
        <>
          <PageHeader
            title={ca.name}
            aside={
              <>
                <CaState ca={ca} />
                {ca.in_trial && <Badge tone="warn">Trial</Badge>}
              </>
            }
            actions={<Actions ca={ca} />}
          >
            {ca.role === "root" ? "Root CA" : "Issuing CA"}
          </PageHeader>
          {ca.in_trial && may("private_cas.edit") && <Trial ca={ca} />}
          <div className="columns">
            <Identity ca={ca} />
            <Key ca={ca} />
          </div>
          {ca.cross_certificates.length > 0 && <Crosses ca={ca} />}
        </>
      )}
    </Loaded>
  );
}
