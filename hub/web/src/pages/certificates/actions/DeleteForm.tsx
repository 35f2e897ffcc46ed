import { useNavigate } from "react-router";

import type { Certificate } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { useCertificateCall } from "./useCertificateAction";

/** Found certificates only: what was issued here is kept as a record. */
export function DeleteForm({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const call = useCertificateCall(certificate);
  const navigate = useNavigate();
  return (
    <ActionDialog
      title="Delete certificate"
      confirm="Delete certificate"
      danger
      run={async () => {
        await navigate("/certificates/ssl");
        await call.remove("");
      }}
      done="Deleted"
      onClose={onClose}
    >
      <p>
        <strong className="breakable">{certificate.common_name || `#${certificate.id}`}</strong> is taken off the list
        with its notes and locations. Servers go on using it; a scan that sees it again lists it anew.
      </p>
    </ActionDialog>
  );
}
