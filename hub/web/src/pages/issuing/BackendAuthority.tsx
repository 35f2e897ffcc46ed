import type { Authority } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Copy } from "../../components/Copy";
import { type Fact, Facts, Panel } from "../../components/Panel";
import { PlainTable } from "../../components/PlainTable";
import { Expiry, Time } from "../../components/Time";

function ocspFacts({ ocsp_url: url, ocsp_in_certificates: named, responder }: Authority): Fact[] {
  if (url === null) {
    return [];
  }
  return [
    ["OCSP at", <Copy key="ocsp" text={url} label="address" />],
    ["In new certificates", named ? "yes" : "no"],
    ["OCSP responder", responder ? <Copy key="responder" text={responder.serial} label="serial number" /> : "none yet"],
    ...(responder ? ([["Responder until", <Time key="end" value={responder.not_after} />]] as const) : []),
  ];
}

function listFacts({ crls }: Authority): Fact[] {
  const [crl] = crls;
  if (crl === undefined || crls.length > 1) {
    return [["Lists", crls.length > 0 ? `${crls.length} below` : "none yet"]];
  }
  return [
    ["CRL at", <Copy key="crl" text={crl.url} label="address" />],
    ["CRL number", crl.number],
    ["Revoked on it", crl.entries],
    ["CRL published", <Time key="this" value={crl.this_update} />],
    ["Next CRL by", <Time key="next" value={crl.next_update} />],
  ];
}

export function AuthorityPanel({ authority }: { authority: Authority }) {
  return (
    <Panel
      title={authority.role === "root" ? "Root CA" : "Issuing CA"}
      actions={<Badge tone="idle">{authority.key_type}</Badge>}
    >
      <Facts
        items={[
          ["Subject", authority.subject],
          ["Valid from", <Time key="from" value={authority.not_before} />],
          ["Valid until", <Expiry key="until" value={authority.not_after} />],
          ["Signature", authority.signature_algorithm],
          ["Serial number", <Copy key="serial" text={authority.serial} label="serial number" />],
          ["SHA-256", <Copy key="sha" text={authority.sha256} label="SHA-256" />],
          ["Certificate at", <Copy key="aia" text={authority.certificate_url} label="address" />],
          ...ocspFacts(authority),
          ...listFacts(authority),
        ]}
      />
    </Panel>
  );
}

/** The lists of an authority that spreads its revocations among several. */
export function AuthorityLists({ authority }: { authority: Authority }) {
  return (
    <PlainTable
      title="Revocation lists"
      empty="No lists yet."
      rows={authority.crls}
      rowKey={(crl) => crl.url}
      columns={[
        { label: "Address", cell: (crl) => <Copy text={crl.url} label="address" /> },
        { label: "Number", cell: (crl) => crl.number },
        { label: "Revoked", cell: (crl) => crl.entries },
        { label: "Published", cell: (crl) => <Time value={crl.this_update} /> },
        { label: "Next by", cell: (crl) => <Time value={crl.next_update} /> },
      ]}
    />
  );
}
