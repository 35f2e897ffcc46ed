import { useState } from "react";

import { asProblem } from "../../../api/problem";
import type { Certificate } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { DepartmentPicker, OrganizationPicker } from "../../../forms/pickers";
import { useCertificateCall } from "./useCertificateAction";

const WORDS = {
  assign: { title: "Assign certificate", confirm: "Assign", done: "Assigned" },
  move: { title: "Move to another owner", confirm: "Move", done: "Moved" },
} as const;

interface Props {
  action: "assign" | "move";
  certificate: Certificate;
  onClose: () => void;
}

/** Gives a found certificate to an organization, or moves any to another owner. */
export function OwnerForm({ action, certificate, onClose }: Props) {
  const { send } = useCertificateCall(certificate);
  const [organization, setOrganization] = useState(String(certificate.organization_id ?? ""));
  const [department, setDepartment] = useState(String(certificate.department_id ?? ""));
  const same =
    organization === String(certificate.organization_id ?? "") && department === String(certificate.department_id ?? "");
  return (
    <ActionDialog
      {...WORDS[action]}
      disabled={!organization || (action === "move" && same)}
      run={() =>
        send("post", action, {
          organization_id: Number(organization),
          department_id: department ? Number(department) : null,
        })
      }
      onClose={onClose}
      shownFields={["organization_id", "department_id"]}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <>
            {action === "move" && (
              <p>
                The names of a certificate that was issued here have to be delegated to the new owner. A request that
                waits is checked anew, and approvals that it has are taken back.
              </p>
            )}
            <OrganizationPicker
              value={organization}
              onChange={(value) => {
                setOrganization(value);
                setDepartment("");
              }}
              required
              error={problem?.of("organization_id")}
            />
            <DepartmentPicker
              organizationId={organization}
              value={department}
              onChange={setDepartment}
              error={problem?.of("department_id")}
            />
          </>
        );
      }}
    </ActionDialog>
  );
}
