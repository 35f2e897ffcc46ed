import { useState } from "react";

import { asProblem } from "../../../api/problem";
import type { CertificateRow } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { Check, Select, TextArea } from "../../../forms/fields";
import { DepartmentPicker, OrganizationPicker } from "../../../forms/pickers";
import { EMPTY_RENEWAL, type RenewalDraft, renewalBody, renewalErrors } from "../autoRenew";
import { RenewalFields } from "../RenewalFields";
import { REVOCATION_REASONS } from "../vocabulary";
import type { BulkWords } from "./actions";

interface Props {
  words: BulkWords;
  rows: readonly CertificateRow[];
  run: (extra: Record<string, unknown>) => Promise<void>;
  onClose: () => void;
}

const NAMES_SHOWN = 8;
const WITH_MESSAGE = ["approve", "decline", "revoke"];

function useFields({ action }: BulkWords) {
  const [message, setMessage] = useState("");
  const [reason, setReason] = useState("unspecified");
  const [organization, setOrganization] = useState("");
  const [department, setDepartment] = useState("");
  const [renewal, setRenewal] = useState<RenewalDraft>({ ...EMPTY_RENEWAL, mode: "on" });
  const [accepted, setAccepted] = useState(false);
  const owner = action === "assign" || action === "move";
  const faults = renewalErrors(renewal);
  const body = (): Record<string, unknown> => ({
    ...(WITH_MESSAGE.includes(action) && { message }),
    ...(action === "revoke" && { reason }),
    ...(owner && { organization_id: Number(organization), department_id: department ? Number(department) : null }),
    ...(action === "renew" && { agreement_accepted: accepted }),
    ...(action === "enable_auto_renew" && { auto_renew: renewalBody(renewal) }),
  });
  const complete = (!owner || organization !== "") && (action !== "enable_auto_renew" || Object.keys(faults).length === 0);
  const fields = (errorOf: (field: string) => string | undefined) => (
    <>
      {action === "revoke" && <Select label="Reason" value={reason} onChange={setReason} options={REVOCATION_REASONS} />}
      {WITH_MESSAGE.includes(action) && (
        <TextArea label={action === "revoke" ? "Explanation" : "Message"} value={message} onChange={setMessage} rows={3} />
      )}
      {owner && (
        <>
          <OrganizationPicker
            value={organization}
            onChange={(value) => {
              setOrganization(value);
              setDepartment("");
            }}
            required
            error={errorOf("organization_id")}
          />
          <DepartmentPicker organizationId={organization} value={department} onChange={setDepartment} error={errorOf("department_id")} />
        </>
      )}
      {action === "renew" && (
        <Check
          label="I accept the subscriber agreements of their profiles"
          hint="Where a profile has one; its page shows the text."
          checked={accepted}
          onChange={setAccepted}
        />
      )}
      {action === "enable_auto_renew" && (
        <RenewalFields
          value={renewal}
          onChange={setRenewal}
          errorOf={(field) => faults[`auto_renew.${field}`] ?? errorOf(field)}
          choice="none"
        />
      )}
    </>
  );
  return { body, complete, fields };
}

/** Asks once for all of them. */
export function BulkDialog({ words, rows, run, onClose }: Props) {
  const { body, complete, fields } = useFields(words);
  const names = rows.slice(0, NAMES_SHOWN).map((row) => row.common_name || `#${row.id}`);
  return (
    <ActionDialog
      title={`${words.title} (${rows.length})`}
      confirm={words.title}
      danger={words.danger ?? false}
      disabled={!complete}
      run={() => run(body())}
      onClose={onClose}
    >
      {(error) => (
        <>
          <p className="breakable">
            {names.join(", ")}
            {rows.length > NAMES_SHOWN && ` and ${rows.length - NAMES_SHOWN} more`}
          </p>
          {words.text && <p>{words.text}</p>}
          {fields((field) => (error ? asProblem(error).of(field) : undefined))}
        </>
      )}
    </ActionDialog>
  );
}
