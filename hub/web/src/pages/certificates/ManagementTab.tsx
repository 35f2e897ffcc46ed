import type { Certificate } from "../../api/types";
import { Facts, Panel } from "../../components/Panel";
import { AgentLink } from "../agents/AgentLink";
import { CertificateCommands } from "./CertificateCommands";
import { InstallItems } from "./InstallItems";
import { Locations } from "./Locations";
import { KEY_LOCATIONS } from "./vocabulary";

interface AutoRenew {
  enabled?: boolean;
  days_before?: number;
  new_key_pair?: boolean;
}

function renewalWords(autoRenew: AutoRenew | null): string {
  if (!autoRenew?.enabled) return "By hand";
  const key = autoRenew.new_key_pair ? "with a new key pair" : "with the same key pair";
  return `${autoRenew.days_before ?? 30} days before it expires, ${key}`;
}

export function ManagementTab({ certificate }: { certificate: Certificate }) {
  return (
    <div className="stack">
      <div className="columns">
        <InstallItems certificate={certificate} />
        <Panel title="Private key and renewal">
          <Facts
            items={[
              ["Private key", KEY_LOCATIONS[certificate.private_key] ?? "Not with any agent"],
              [
                "Kept by",
                certificate.private_key_agent && <AgentLink name={certificate.private_key_agent} id={null} />,
              ],
              ["Renewal", renewalWords(certificate.auto_renew)],
            ]}
          />
        </Panel>
      </div>
      <CertificateCommands commands={certificate.commands} />
      <Locations locations={certificate.locations} />
    </div>
  );
}
