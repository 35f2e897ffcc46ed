import { useCustomFields } from "../../api/choices";
import type { Certificate } from "../../api/types";
import { Copy } from "../../components/Copy";
import { Facts, Panel } from "../../components/Panel";
import { Time } from "../../components/Time";
import { ApprovalList } from "./Approvals";
import { Notes } from "./Notes";
import { METHODS } from "./vocabulary";

const copyable = (text: string | null, label: string) => (text ? <Copy text={text} label={label} /> : null);

/** Long lists of names stay readable. */
export function Names({ names }: { names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <span className="tags">
      {names.map((name) => (
        <span key={name} className="tag mono" title={name}>
          {name}
        </span>
      ))}
    </span>
  );
}

const days = (count: number): string | null => (count > 0 ? `${count} days` : null);

/** Values of custom fields, under their labels; fields that no longer exist are not shown. */
function CustomValues({ certificate }: { certificate: Certificate }) {
  const { data = [] } = useCustomFields("ssl", true);
  const values = certificate.custom ?? {};
  const known = data.filter((field) => values[field.name] !== undefined);
  if (known.length === 0) return null;
  return (
    <Panel title="Custom fields">
      <Facts items={known.map((field) => [field.label, String(values[field.name])])} />
    </Panel>
  );
}

export function DetailsTab({ certificate }: { certificate: Certificate }) {
  const names = [...certificate.dns_names, ...certificate.ip_addresses];
  return (
    <div className="columns">
      <Panel title="Certificate">
        <Facts
          items={[
            ["Common name", certificate.common_name],
            ["Alternative names", names.length > 0 ? <Names names={names} /> : null],
            ["Subject", certificate.subject],
            ["Issuer", certificate.issuer],
            ["Valid from", certificate.not_before && <Time value={certificate.not_before} />],
            ["Valid until", certificate.expires && <Time value={certificate.expires} />],
            ["Key", certificate.key_type && `${certificate.key_type} (${certificate.key_bits} bits)`],
            ["Signature", certificate.signature_algorithm],
            ["Key usage", certificate.key_usage.join(", ")],
            ["Extended key usage", certificate.extended_key_usage.join(", ")],
            ["Serial number", copyable(certificate.serial_number, "serial number")],
            ["SHA-256", copyable(certificate.sha256, "SHA-256")],
            ["SHA-1", copyable(certificate.sha1, "SHA-1")],
            ["MD5", copyable(certificate.md5, "MD5")],
            ["Self-signed", certificate.self_signed ? "Yes" : null],
          ]}
        />
      </Panel>
      <div className="stack">
        <Panel title="Ownership">
          <Facts
            items={[
              ["Organization", certificate.organization ?? "None yet"],
              ["Department", certificate.department],
              ["Requester", certificate.requester],
              ["External requester", certificate.external_requester],
              ["Approver", certificate.approver],
              ["Message", certificate.decision_message],
            ]}
          />
          {certificate.status !== "Requested" && <ApprovalList certificate={certificate} />}
        </Panel>
        <Panel title="Order">
          <Facts
            items={[
              ["Profile", certificate.profile],
              ["Sub type", certificate.sub_type],
              ["Order number", copyable(certificate.order_number, "order number")],
              ["Term", days(certificate.term_days)],
              ["Method", METHODS[certificate.method]?.title],
              ["Requested via", certificate.requested_via],
              ["Revocation reason", certificate.revocation_reason],
              [
                "Agreement",
                certificate.agreement && (
                  <span title={`SHA-256 of its text: ${certificate.agreement.sha256}`}>
                    Accepted by {certificate.agreement.accepted_by}, <Time value={certificate.agreement.accepted_at} />
                  </span>
                ),
              ],
              ["Comments", certificate.comments],
            ]}
          />
        </Panel>
        <CustomValues certificate={certificate} />
        <Notes certificate={certificate} />
        {certificate.csr && (
          <Panel title="Signing request">
            <details>
              <summary>Show PEM</summary>
              <Copy block text={certificate.csr} label="CSR" />
            </details>
          </Panel>
        )}
      </div>
    </div>
  );
}
