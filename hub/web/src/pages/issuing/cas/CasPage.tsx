import { useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";

import { download, post } from "../../../api/client";
import { asProblem } from "../../../api/problem";
import { useMay } from "../../../api/session";
import type { PrivateCa } from "../../../api/types";
import { Badge } from "../../../components/Badge";
import { Button, LinkButton } from "../../../components/Button";
import { Copy } from "../../../components/Copy";
import { DialogButton } from "../../../components/DialogButton";
import { Loaded } from "../../../components/Loaded";
import { PageHeader } from "../../../components/PageHeader";
import { PlainTable } from "../../../components/PlainTable";
import { Expiry } from "../../../components/Time";
import { useToast } from "../../../components/toasts";
import { SchemaDialog } from "../../../forms/SchemaDialog";
import { usePrivateCas } from "./useCas";
import { signatureWords, STATES } from "./words";

const IMPORT = {
  name: { wide: true },
  certificate: { label: "Certificate of the root, PEM", wide: true },
  crl: { label: "Its CRL, PEM", wide: true },
};

const TONES = { signed: "ok", retired: "idle", expired: "bad", awaiting_signature: "warn" } as const;

export function CaState({ ca }: { ca: PrivateCa }) {
  return <Badge tone={TONES[ca.state]}>{STATES[ca.state]}</Badge>;
}

/** What stands for a CA in addresses: signing requests have numbers of their own. */
const addressOf = (ca: PrivateCa) => `/private-cas/${ca.state === "awaiting_signature" ? "requests/" : ""}${ca.id}`;

function ImportRoot({ close }: { close: () => void }) {
  const client = useQueryClient();
  return (
    <SchemaDialog
      schema="RootImport"
      title="Import an offline root"
      confirm="Import root"
      done="Root imported"
      overrides={IMPORT}
      run={async (values) => {
        await post<PrivateCa>("/private-cas/import-root", values);
        await client.invalidateQueries({ queryKey: ["private-cas"] });
      }}
      onClose={close}
    />
  );
}

function Download({ ca }: { ca: PrivateCa }) {
  const toast = useToast();
  if (ca.state === "awaiting_signature") return null;
  return (
    <Button
      small
      icon="download"
      aria-label={`Download the certificate of ${ca.name}`}
      onClick={() => {
        download(`/private-cas/${ca.id}/certificate`).catch((error: unknown) => {
          toast(asProblem(error).message, "bad");
        });
      }}
    >
      .cer
    </Button>
  );
}

export function CasPage() {
  const may = useMay();
  const cas = usePrivateCas();
  const actions = (
    <>
      <LinkButton to="/private-cas/ceremonies" icon="audit">
        Key ceremonies
      </LinkButton>
      {may("private_cas.edit") && (
        <>
          <DialogButton label="Import offline root" icon="download">
            {(close) => <ImportRoot close={close} />}
          </DialogButton>
          <LinkButton to="/private-cas/new" variant="primary" icon="plus">
            Add private CA
          </LinkButton>
        </>
      )}
    </>
  );
  return (
    <>
      <PageHeader title="Private CAs" actions={actions}>
        Your own certification authorities. Put the certificates of roots into the trust stores of your devices.
      </PageHeader>
      <Loaded query={cas}>
        {({ items, requests }) => (
          <PlainTable
            title="Private CAs"
            empty="No private CA yet. Add a root first, then an issuing CA under it."
            rows={[...requests, ...items]}
            rowKey={addressOf}
            columns={[
              { label: "Name", cell: (ca) => <Link to={addressOf(ca)}>{ca.name}</Link> },
              { label: "Trial mode", cell: (ca) => (ca.in_trial ? <Badge tone="warn">Trial</Badge> : "—") },
              { label: "Subject", cell: (ca) => ca.subject },
              { label: "Key type", cell: (ca) => ca.key_type },
              { label: "Signature", cell: (ca) => signatureWords(ca.signature_algorithm) },
              { label: "State", cell: (ca) => <CaState ca={ca} /> },
              { label: "Serial number", cell: (ca) => (ca.serial ? <Copy text={ca.serial} label="serial number" /> : "—") },
              { label: "Expires", cell: (ca) => (ca.not_after ? <Expiry value={ca.not_after} /> : "—") },
              { label: "Certificate", cell: (ca) => <Download ca={ca} /> },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}
