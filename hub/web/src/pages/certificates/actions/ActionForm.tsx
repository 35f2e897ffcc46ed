import type { Certificate } from "../../../api/types";
import { AnnotateForm } from "./AnnotateForm";
import { DecisionForm } from "./DecisionForm";
import { DeleteForm } from "./DeleteForm";
import { InstallForm, RestartForm } from "./InstallForm";
import { OwnerForm } from "./OwnerForm";
import { RenewForm } from "./RenewForm";
import { ReplaceForm } from "./ReplaceForm";
import { RevokeForm } from "./RevokeForm";

export const CERTIFICATE_ACTIONS = [
  "approve",
  "decline",
  "assign",
  "move",
  "annotate",
  "install",
  "restart",
  "renew",
  "replace",
  "revoke",
  "delete",
] as const;

export type CertificateAction = (typeof CERTIFICATE_ACTIONS)[number];

interface Props {
  action: CertificateAction;
  certificate: Certificate;
  onClose: () => void;
}

const FORMS = {
  annotate: AnnotateForm,
  install: InstallForm,
  restart: RestartForm,
  renew: RenewForm,
  replace: ReplaceForm,
  revoke: RevokeForm,
  delete: DeleteForm,
} as const;

export function ActionForm({ action, ...props }: Props) {
  if (action === "approve" || action === "decline") return <DecisionForm action={action} {...props} />;
  if (action === "assign" || action === "move") return <OwnerForm action={action} {...props} />;
  const Form = FORMS[action];
  return <Form {...props} />;
}
