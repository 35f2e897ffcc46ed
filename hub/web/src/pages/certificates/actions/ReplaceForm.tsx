import { useState } from "react";
import { useNavigate } from "react-router";

import { useProfiles } from "../../../api/choices";
import { asProblem } from "../../../api/problem";
import type { Certificate, Enrolled } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { TextArea } from "../../../forms/fields";
import { AgreementText } from "../AgreementText";
import { EMPTY_KEY, KeyChoice, keyBody, keyIsChosen } from "./KeyChoice";
import { useCertificateCall } from "./useCertificateAction";

/** Requests the same certificate over a new key; the old one is Replaced once that is issued. */
export function ReplaceForm({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const { send } = useCertificateCall(certificate);
  const navigate = useNavigate();
  const inStore = certificate.method === "pks";
  const [reason, setReason] = useState("");
  const [key, setKey] = useState({ ...EMPTY_KEY, method: inStore ? ("pks" as const) : ("csr" as const) });
  const [accepted, setAccepted] = useState(false);
  const profileId = String(certificate.profile_id ?? "");
  const profile = useProfiles().data?.find((item) => String(item.id) === profileId);
  const ready = reason.trim() !== "" && keyIsChosen(key, inStore) && (!profile?.agreement || accepted);
  return (
    <ActionDialog
      title="Replace certificate"
      confirm="Request replacement"
      disabled={!ready}
      run={async () => {
        const body = { ...keyBody(key), reason, agreement_accepted: accepted };
        const enrolled = await send<Enrolled>("post", "replace", body);
        await navigate(`/certificates/ssl/${enrolled.id}`);
      }}
      done="Replacement requested"
      onClose={onClose}
      shownFields={["csr", "key_type", "pks_agent_id", "reason", "agreement_accepted"]}
    >
      {(error) => {
        const errorOf = (field: string) => (error ? asProblem(error).of(field) : undefined);
        return (
          <>
            <p>
              <strong className="breakable">{certificate.common_name}</strong> is requested again over a new key, with
              the same names, profile and term. The old certificate is Replaced once the new one is issued, and is valid
              until somebody revokes it.
            </p>
            <TextArea label="Reason" required rows={2} value={reason} onChange={setReason} error={errorOf("reason")} />
            <KeyChoice
              value={key}
              onChange={setKey}
              organizationId={String(certificate.organization_id ?? "")}
              profileId={profileId}
              asBefore={inStore}
              errorOf={errorOf}
            />
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
