import { Link } from "react-router";

import type { ProfilePreview } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Icon } from "../../components/Icon";
import { Time } from "../../components/Time";

const LABELS: Readonly<Record<string, string>> = {
  backend_id: "CA backend",
  san_rule: "Rule of names",
  terms_days: "Terms",
  organization_ids: "Organizations",
  www_included: "The name after www. too",
  sub_type: "Validation",
};

const labelOf = (field: string) => LABELS[field] ?? field.charAt(0).toUpperCase() + field.slice(1).replaceAll("_", " ");

const LIVING = "living certificates and open requests";
const amount = (number: number) => number.toLocaleString("en");

function riskOf(renewals: number): string {
  if (renewals === 0) return "";
  if (renewals === 1) return " One of them renews itself: its renewal would fail.";
  return ` ${amount(renewals)} of them renew themselves: their renewals would fail.`;
}

function Summary({ preview }: { preview: ProfilePreview }) {
  if (preview.misfits === 0) {
    return <p>Nothing that was issued is affected: {amount(preview.examined)} {LIVING} were looked at.</p>;
  }
  const risk = preview.renewals_at_risk;
  return (
    <div className="notice" data-tone={risk > 0 ? "bad" : "warn"} role="status">
      <Icon name={risk > 0 ? "error" : "warning"} className={risk > 0 ? "tone-bad" : "tone-warn"} />
      <div>
        <strong>
          {amount(preview.misfits)} of {amount(preview.examined)} {LIVING} would no longer fit
        </strong>
        <p>
          They stay valid, but can&rsquo;t be renewed as they are.{riskOf(risk)}
        </p>
        <ul>
          {preview.reasons.map((item) => (
            <li key={item.reason}>
              <code>{item.reason}</code> {amount(item.certificates)}
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function Affected({ preview }: { preview: ProfilePreview }) {
  const more = preview.misfits - preview.first.length;
  return (
    <div className="plain plain-wrap">
      <table className="table" aria-label="Certificates that would no longer fit">
        <thead>
          <tr>
            <th scope="col">Certificate</th>
            <th scope="col">Status</th>
            <th scope="col">Ends</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {preview.first.map((item) => (
            <tr key={item.id}>
              <td>
                <Link to={`/certificates/ssl/${item.id}`}>{item.common_name || item.id}</Link>
              </td>
              <td>{item.status}</td>
              <td>{item.not_after ? <Time value={item.not_after} /> : "—"}</td>
              <td>{item.findings.map((finding) => finding.message).join("; ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && <p className="muted small">and {amount(more)} more</p>}
    </div>
  );
}

interface Props {
  preview: ProfilePreview;
  save: () => Promise<unknown>;
  onClose: () => void;
}

/** What a change to a profile would do, before it is made. */
export function ProfileConsequences({ preview, save, onClose }: Props) {
  const hurts = preview.misfits > 0;
  return (
    <ActionDialog
      title="What this change does"
      confirm={hurts ? "Save anyway" : "Save"}
      danger={hurts}
      wide
      done="Saved"
      run={save}
      onClose={onClose}
    >
      <p>
        Changed: {preview.changes.map((item) => labelOf(item.field)).join(", ") || "nothing"}.
      </p>
      <Summary preview={preview} />
      {!preview.complete && (
        <p className="muted">There are more certificates than were looked at: the numbers are at least these.</p>
      )}
      {hurts && <Affected preview={preview} />}
    </ActionDialog>
  );
}

export const changedValues = (
  values: Readonly<Record<string, unknown>>,
  before: Readonly<Record<string, unknown>>,
  fields: readonly string[],
): Record<string, unknown> =>
  Object.fromEntries(
    fields
      .filter((name) => values[name] !== undefined && JSON.stringify(values[name]) !== JSON.stringify(before[name]))
      .map((name) => [name, values[name]]),
  );
