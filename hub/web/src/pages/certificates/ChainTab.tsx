import type { Certificate, ChainEntry } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Copy } from "../../components/Copy";
import { Empty } from "../../components/Empty";
import { Icon } from "../../components/Icon";
import { Facts, Panel } from "../../components/Panel";
import { Time } from "../../components/Time";

const KINDS: Readonly<Record<ChainEntry["kind"], string>> = {
  root: "Root",
  intermediate: "Intermediate",
  "end entity": "End entity",
};

/** `CN=a,O=b` -> `a`. */
const commonName = (subject: string): string => /(?:^|,\s*)CN=([^,]+)/.exec(subject)?.[1] ?? subject;

function Entry({ entry }: { entry: ChainEntry }) {
  return (
    <li className="chain-item">
      <Icon name={entry.kind === "end entity" ? "certificate" : "authority"} size={22} />
      <div className="chain-text stack-s">
        <div className="row">
          <strong className="breakable">{commonName(entry.subject)}</strong>
          <Badge tone="idle">{KINDS[entry.kind]}</Badge>
        </div>
        <Facts
          items={[
            ["Subject", entry.subject],
            ["Issuer", entry.issuer],
            ["Valid from", <Time key="from" value={entry.not_before} />],
            ["Valid until", <Time key="until" value={entry.not_after} />],
            ["Key", entry.key_type],
            ["Signature", entry.signature_algorithm],
            ["Serial number", <Copy key="serial" text={entry.serial_number} label="serial number" />],
            ["SHA-256", <Copy key="sha" text={entry.sha256} label="SHA-256" />],
          ]}
        />
      </div>
    </li>
  );
}

/** Root first, as the chain of trust is read. */
export function ChainTab({ certificate }: { certificate: Certificate }) {
  const chain = [...certificate.chain_of_trust].reverse();
  if (chain.length === 0) {
    return (
      <Empty title="No chain yet" icon="authority">
        It is known once the certificate is issued.
      </Empty>
    );
  }
  return (
    <div className="stack">
      <Panel title="Chain of trust">
        <ol className="chain">
          {chain.map((entry) => (
            <Entry key={entry.sha256} entry={entry} />
          ))}
        </ol>
      </Panel>
      {certificate.certificate && (
        <Panel title="PEM">
          <Copy block text={certificate.certificate} label="certificate" />
        </Panel>
      )}
    </div>
  );
}
