import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { useProfiles } from "../../../api/choices";
import { get } from "../../../api/client";
import { asProblem } from "../../../api/problem";
import { useMay } from "../../../api/session";
import type { Certificate } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { Status } from "../../../components/Badge";
import { DialogButton } from "../../../components/DialogButton";
import { Icon } from "../../../components/Icon";
import { Loaded } from "../../../components/Loaded";
import { type Fact, Facts, Panel } from "../../../components/Panel";
import { Time } from "../../../components/Time";
import { emptyOrder, orderBody, OrderFields, orderIsComplete } from "../actions/OrderFields";
import { useCertificateCall } from "../actions/useCertificateAction";
import { profileWords, type RenewalDraft, renewalBody, renewalDraft, renewalErrors } from "../autoRenew";
import { RenewalFields } from "../RenewalFields";
import type { Renewal } from "../types";

/** What one begins from: the certificate's own settings, else whether it renews itself now. */
function firstDraft(certificate: Certificate, renewal: Renewal): RenewalDraft {
  const draft = renewalDraft(certificate.auto_renew);
  return draft.mode === "profile" ? { ...draft, mode: renewal.rules.enabled ? "on" : "off" } : draft;
}

interface DialogProps {
  certificate: Certificate;
  renewal: Renewal;
  onClose: () => void;
}

export function AutoRenewDialog({ certificate, renewal, onClose }: DialogProps) {
  const { send } = useCertificateCall(certificate);
  const found = certificate.method === "";
  const [draft, setDraft] = useState(() => firstDraft(certificate, renewal));
  const [order, setOrder] = useState(() => emptyOrder(certificate.organization_id));
  const profile = useProfiles().data?.find((item) => item.id === certificate.profile_id);
  const faults = renewalErrors(draft, certificate.term_days);
  // With what a found certificate is to be renewed has to be known when it is switched on.
  const ordering = found && draft.mode === "on";
  return (
    <ActionDialog
      title="Automatic renewal"
      confirm="Save"
      disabled={Object.keys(faults).length > 0 || (ordering && !orderIsComplete(order))}
      run={() =>
        send("put", "auto-renew", { ...renewalBody(draft), successor: ordering ? orderBody(order) : null })
      }
      done="Renewal saved"
      onClose={onClose}
      shownFields={["enabled", "days_before", "share", "new_key_pair", "profile_id", "term_days", "csr", "key_type", "pks_agent_id"]}
    >
      {(error) => {
        const errorOf = (field: string) => faults[`auto_renew.${field}`] ?? (error ? asProblem(error).of(field) : undefined);
        return (
          <>
            <RenewalFields value={draft} onChange={setDraft} errorOf={errorOf} choice="own" />
            {profile && <p className="small muted">The profile {profile.name} says: {profileWords(profile)}.</p>}
            {ordering && (
              <>
                <p>It was found and not issued here, so say with what it is renewed:</p>
                <OrderFields value={order} onChange={setOrder} ownerFixed errorOf={errorOf} />
              </>
            )}
          </>
        );
      }}
    </ActionDialog>
  );
}

const label = (name: string) => name.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());

const evidence = (data: Record<string, unknown>): Fact[] =>
  Object.entries(data)
    .filter(([, value]) => ["string", "number", "boolean"].includes(typeof value) && value !== "")
    .map(([name, value]) => {
      const text = String(value);
      return [label(name), /^\d{4}-\d\d-\d\dT/.test(text) ? <Time key={name} value={text} /> : text];
    });

function rulesOf({ rules }: Renewal): Fact[] {
  const from = (name: string) => {
    const source = rules.sources[name];
    return source ? `, ${source}` : "";
  };
  const due = rules.days_before ? `${rules.days_before} days before it expires` : `when ${Math.round(rules.share * 100)} % of the lifetime are over`;
  return [
    ["Renews itself", `${rules.enabled ? "Yes" : "No"}${from("enabled")}`],
    ["Due", `${due}${from("when")}`],
    ["Key", `${rules.new_key_pair ? "New key pair" : "Same key pair"}${from("new_key_pair")}`],
    ["Spread", rules.jitter_hours > 0 ? `up to ${rules.jitter_hours} hours earlier` : null],
    ["Old one revoked", rules.revoke_after_hours === null ? null : `${rules.revoke_after_hours} hours after the new one works`],
  ];
}

function Why({ renewal }: { renewal: Renewal }) {
  const failed = renewal.renewal_state === "Failed";
  return (
    <div className="stack">
      <div className="notice" data-tone={failed ? "bad" : "info"}>
        <Icon name={failed ? "error" : "info"} className={failed ? "tone-bad" : ""} />
        <div>
          <strong>{renewal.sentence}</strong>
          {renewal.instruction && <p>{renewal.instruction}</p>}
        </div>
      </div>
      <Facts
        items={[
          ["Due", renewal.due_at && <Time key="due" value={renewal.due_at} />],
          ["Planned", renewal.plan?.sentence],
          ["Safe until", renewal.plan && <Time key="safe" value={renewal.plan.latest_safe_at} />],
          ["Failed tries", renewal.attempts_made > 0 ? renewal.attempts_made : null],
          ["This one is revoked", renewal.revoked_after && <Time key="revoked" value={renewal.revoked_after} />],
        ]}
      />
      <details>
        <summary>Rules and evidence</summary>
        <div className="stack evidence">
          <Facts items={[...rulesOf(renewal), ...evidence(renewal.plan?.evidence ?? {})]} />
          {renewal.attempts.length > 0 && (
            <ol className="stack-s small" aria-label="Trail of the renewal">
              {renewal.attempts.map((attempt) => (
                <li key={`${attempt.at}/${attempt.outcome}`} className="breakable">
                  <Time value={attempt.at} /> <strong>{attempt.outcome}</strong> {attempt.sentence}
                </li>
              ))}
            </ol>
          )}
        </div>
      </details>
    </div>
  );
}

/** Why it was (not) renewed, in a sentence with its evidence; and the settings. */
export function AutoRenewPanel({ certificate }: { certificate: Certificate }) {
  const may = useMay();
  const renewal = useQuery({
    queryKey: ["renewals", "why", String(certificate.id)],
    queryFn: ({ signal }) => get<Renewal>(`/certificates/${certificate.id}/renewal`, {}, signal),
  });
  return (
    <Panel
      title="Auto-renewal"
      actions={
        <>
          <Status value={certificate.renewal_state} />
          {renewal.data && may("certificates.renew") && (
            <DialogButton small label="Edit renewal" icon="edit">
              {(close) => <AutoRenewDialog certificate={certificate} renewal={renewal.data} onClose={close} />}
            </DialogButton>
          )}
        </>
      }
    >
      <Loaded query={renewal}>{(found) => <Why renewal={found} />}</Loaded>
    </Panel>
  );
}
