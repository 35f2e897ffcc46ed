import type { ReactNode } from "react";
import { Link } from "react-router";

import type { Certificate } from "../../api/types";
import { Status } from "../../components/Badge";
import { Icon } from "../../components/Icon";
import { Expiry } from "../../components/Time";
import { ApprovalList } from "./Approvals";
import { isOver, KEY_LOCATIONS, sentence } from "./vocabulary";

function Item({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="summary-item">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const STUCK = ["Rejected", "Invalid", "Declined"];

/** What is waited for, or why it does not go on. */
function Note({ certificate }: { certificate: Certificate }) {
  const waiting = certificate.steps.find((step) => step.message);
  const text = certificate.status_message || waiting?.message;
  if (!text) return null;
  const bad = STUCK.includes(certificate.status);
  return (
    <div className="notice" data-tone={bad ? "bad" : "warn"}>
      <Icon name={bad ? "error" : "clock"} className={bad ? "tone-bad" : "tone-warn"} />
      <div>
        {certificate.status_reason && <strong>{certificate.status_reason}: </strong>}
        {certificate.status_message ? text : sentence(text)}
      </div>
    </div>
  );
}

export function Summary({ certificate }: { certificate: Certificate }) {
  const { renews_id, renewed_by_id } = certificate;
  return (
    <>
      <dl className="panel summary">
        <Item label="ID">{certificate.id}</Item>
        <Item label="Expires">
          <Expiry value={certificate.expires} ended={isOver(certificate.status)} />
        </Item>
        <Item label="Organization">{certificate.organization ?? "None yet"}</Item>
        <Item label="Key">
          {certificate.key_type || "—"}
          {certificate.private_key && `, ${KEY_LOCATIONS[certificate.private_key]?.toLowerCase() ?? ""}`}
        </Item>
        <Item label="Installation">
          <Status value={certificate.install_state} />
        </Item>
        <Item label="Renewal">
          <Status value={certificate.renewal_state} />
        </Item>
        {renews_id !== null && (
          <Item label={certificate.replaces ? "Replaces" : "Renews"}>
            <Link to={`/certificates/ssl/${renews_id}`}>#{renews_id}</Link>
          </Item>
        )}
        {renewed_by_id !== null && (
          <Item label={certificate.status === "Replaced" ? "Replaced by" : "Renewed by"}>
            <Link to={`/certificates/ssl/${renewed_by_id}`}>#{renewed_by_id}</Link>
          </Item>
        )}
      </dl>
      <Note certificate={certificate} />
      {certificate.status === "Requested" && certificate.approvals_needed > 1 && (
        <div className="notice" data-tone="warn">
          <ApprovalList certificate={certificate} />
        </div>
      )}
    </>
  );
}
