import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { post } from "../../api/client";
import { asProblem } from "../../api/problem";
import type { Certificate, Enrolled } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Check, TextArea } from "../../forms/fields";
import { OrganizationPicker, ProfilePicker } from "../../forms/pickers";
import { useProfiles } from "../../api/choices";
import { Select } from "../../forms/fields";

const SHOWN = ["csr", "profile_id", "organization_id", "term_days"];

/** Requests the successor. Found certificates have no order to repeat, so they need a CSR and a profile. */
export function RenewForm({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const profiles = useProfiles();
  const found = certificate.method === "";
  const byCsr = found || certificate.method === "csr";
  const [newKey, setNewKey] = useState(true);
  const [csr, setCsr] = useState("");
  const [organization, setOrganization] = useState(String(certificate.organization_id ?? ""));
  const [profileId, setProfileId] = useState("");
  const [term, setTerm] = useState("");
  const profile = profiles.data?.find((item) => String(item.id) === profileId);
  const needsCsr = byCsr && (newKey || found);

  const run = async () => {
    const order = found
      ? {
          method: "csr",
          organization_id: Number(organization),
          profile_id: Number(profileId),
          term_days: Number(term || profile?.terms_days[0] || 0),
        }
      : {};
    const body = { new_key_pair: newKey || found, csr: needsCsr ? csr : null, ...order };
    const enrolled = await post<Enrolled>(`/certificates/${certificate.id}/renew`, body);
    await client.invalidateQueries({ queryKey: ["certificates"] });
    await navigate(`/certificates/ssl/${enrolled.id}`);
  };

  return (
    <ActionDialog
      title="Renew certificate"
      confirm="Request renewal"
      disabled={needsCsr && !csr.trim()}
      run={run}
      done="Renewal requested"
      onClose={onClose}
      shownFields={SHOWN}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <>
            <p>
              A successor of <strong className="breakable">{certificate.common_name}</strong> is requested
              {found ? ", which makes it a managed certificate." : " with the same details."}
            </p>
            {!found && (
              <Check
                label="New key pair"
                hint="Recommended. Without it the present key goes on being used."
                checked={newKey}
                onChange={setNewKey}
              />
            )}
            {found && (
              <>
                <OrganizationPicker
                  value={organization}
                  onChange={setOrganization}
                  required
                  error={problem?.of("organization_id")}
                />
                <ProfilePicker
                  organizationId={organization}
                  value={profileId}
                  onChange={setProfileId}
                  required
                  error={problem?.of("profile_id")}
                />
                {profile && (
                  <Select
                    label="Term"
                    value={term || String(profile.terms_days[0] ?? "")}
                    onChange={setTerm}
                    options={profile.terms_days.map((days) => ({ value: String(days), label: `${days} days` }))}
                    error={problem?.of("term_days")}
                  />
                )}
              </>
            )}
            {needsCsr && (
              <TextArea
                label="Certificate signing request (CSR)"
                hint="PEM, over the new key."
                code
                required
                value={csr}
                onChange={setCsr}
                error={problem?.of("csr")}
              />
            )}
          </>
        );
      }}
    </ActionDialog>
  );
}
