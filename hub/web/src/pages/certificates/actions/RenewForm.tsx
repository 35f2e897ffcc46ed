import { useState } from "react";
import { useNavigate } from "react-router";

import { useProfiles } from "../../../api/choices";
import { asProblem } from "../../../api/problem";
import type { Certificate, Enrolled } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { TextArea } from "../../../forms/fields";
import { AgreementText } from "../AgreementText";
import { emptyOrder, orderBody, OrderFields, orderIsComplete } from "./OrderFields";
import { useCertificateCall } from "./useCertificateAction";

const SHOWN = ["csr", "profile_id", "organization_id", "term_days", "key_type", "pks_agent_id", "agreement_accepted"];

const KEYS = [
  { fresh: true, title: "With a new key pair", text: "Recommended. Where an agent keeps the key it makes the new one; otherwise you bring its CSR." },
  { fresh: false, title: "With the existing key pair and details", text: "Nothing else is needed: the present key goes on being used." },
] as const;

function KeyPair({ fresh, onChange }: { fresh: boolean; onChange: (fresh: boolean) => void }) {
  return (
    <fieldset className="radio-cards">
      <legend className="visually-hidden">Key pair</legend>
      {KEYS.map((choice) => (
        <label key={choice.title} className="radio-card">
          <input
            type="radio"
            name="key-pair"
            checked={choice.fresh === fresh}
            onChange={() => {
              onChange(choice.fresh);
            }}
          />
          <span>
            <strong>{choice.title}</strong>
            {choice.text}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** Requests the successor. Found certificates have no order to repeat, so they need a profile and a key. */
export function RenewForm({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const { send } = useCertificateCall(certificate);
  const navigate = useNavigate();
  const found = certificate.method === "";
  const [newKey, setNewKey] = useState(true);
  const [csr, setCsr] = useState("");
  const [order, setOrder] = useState(() => emptyOrder(certificate.organization_id));
  const [accepted, setAccepted] = useState(false);
  const profileId = found ? order.profileId : String(certificate.profile_id ?? "");
  const profile = useProfiles().data?.find((item) => String(item.id) === profileId);
  const needsCsr = !found && certificate.method === "csr" && newKey;
  const incomplete = found ? !orderIsComplete(order) : needsCsr && !csr.trim();

  const run = async () => {
    const body = found
      ? { new_key_pair: true, organization_id: Number(order.organizationId), ...orderBody(order) }
      : { new_key_pair: newKey, csr: needsCsr ? csr : null };
    const enrolled = await send<Enrolled>("post", "renew", { ...body, agreement_accepted: accepted });
    await navigate(`/certificates/ssl/${enrolled.id}`);
  };

  return (
    <ActionDialog
      title="Renew certificate"
      confirm="Request renewal"
      disabled={incomplete || (Boolean(profile?.agreement) && !accepted)}
      run={run}
      done="Renewal requested"
      onClose={onClose}
      shownFields={SHOWN}
    >
      {(error) => {
        const errorOf = (field: string) => (error ? asProblem(error).of(field) : undefined);
        return (
          <>
            <p>
              A successor of <strong className="breakable">{certificate.common_name}</strong> is requested
              {found ? "; once it is issued the certificate is managed here." : " with the same details."}
            </p>
            {found ? (
              <OrderFields value={order} onChange={setOrder} errorOf={errorOf} />
            ) : (
              <KeyPair fresh={newKey} onChange={setNewKey} />
            )}
            {needsCsr && (
              <TextArea
                label="Certificate signing request (CSR)"
                hint="PEM, over the new key."
                code
                required
                value={csr}
                onChange={setCsr}
                error={errorOf("csr")}
              />
            )}
            {profile?.agreement && (
              <AgreementText
                text={profile.agreement}
                accepted={accepted}
                onChange={setAccepted}
                error={errorOf("agreement_accepted")}
              />
            )}
          </>
        );
      }}
    </ActionDialog>
  );
}
