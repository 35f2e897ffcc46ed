import { useState } from "react";

import { asProblem } from "../../../api/problem";
import type { Certificate } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { TextArea, TextField } from "../../../forms/fields";
import { CustomFieldInputs } from "../request/CustomFieldInputs";
import { useCertificateCall } from "./useCertificateAction";

/** What may be changed at any status. */
export function AnnotateForm({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const { send } = useCertificateCall(certificate);
  const [comments, setComments] = useState(certificate.comments);
  const [requester, setRequester] = useState(certificate.external_requester);
  const [fields, setFields] = useState<Readonly<Record<string, string | number>>>(certificate.custom ?? {});
  const changed = Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => certificate.custom?.[name] !== value),
  );
  return (
    <ActionDialog
      title="Comments and fields"
      confirm="Save"
      wide
      run={() =>
        send("patch", "annotations", {
          ...(comments !== certificate.comments && { comments }),
          ...(requester !== certificate.external_requester && { external_requester: requester }),
          custom_fields: changed,
        })
      }
      done="Saved"
      onClose={onClose}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <div className="form-grid">
            <TextField
              label="External requesters"
              wide
              hint="E-mail addresses, separated by commas."
              value={requester}
              onChange={setRequester}
              error={problem?.of("external_requester")}
            />
            <CustomFieldInputs values={fields} onChange={setFields} errorOf={(field) => problem?.of(field)} />
            <TextArea label="Comments" wide rows={4} value={comments} onChange={setComments} error={problem?.of("comments")} />
          </div>
        );
      }}
    </ActionDialog>
  );
}
