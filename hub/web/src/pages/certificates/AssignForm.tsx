import { useState } from "react";

import type { Certificate } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { DepartmentPicker, OrganizationPicker } from "../../forms/pickers";
import { useCertificateAction } from "./ActionForm";

/** Gives a found certificate to an organization. */
export function AssignForm({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const act = useCertificateAction(certificate);
  const [organization, setOrganization] = useState(String(certificate.organization_id ?? ""));
  const [department, setDepartment] = useState("");
  return (
    <ActionDialog
      title="Assign certificate"
      confirm="Assign"
      disabled={!organization}
      run={() =>
        act("assign", {
          organization_id: Number(organization),
          department_id: department ? Number(department) : null,
        })
      }
      done="Assigned"
      onClose={onClose}
    >
      <OrganizationPicker
        value={organization}
        onChange={(value) => {
          setOrganization(value);
          setDepartment("");
        }}
        required
      />
      <DepartmentPicker organizationId={organization} value={department} onChange={setDepartment} />
    </ActionDialog>
  );
}
