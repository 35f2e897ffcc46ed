import { useState } from "react";
import { useSearchParams } from "react-router";

import { useMay } from "../../api/session";
import type { Certificate } from "../../api/types";
import { Button, LinkButton } from "../../components/Button";
import type { IconName } from "../../components/Icon";
import { Menu } from "../../components/Menu";
import { ActionForm, CERTIFICATE_ACTIONS, type CertificateAction } from "./actions/ActionForm";
import { DownloadMenu } from "./DownloadMenu";

interface ButtonWords {
  action: CertificateAction;
  label: string;
  icon: IconName;
  right: string;
  variant?: "primary" | "danger";
}

const BUTTONS: readonly ButtonWords[] = [
  { action: "approve", label: "Approve", icon: "check", right: "certificates.approve", variant: "primary" },
  { action: "decline", label: "Decline", icon: "close", right: "certificates.decline" },
  { action: "assign", label: "Assign", icon: "organization", right: "certificates.edit" },
  { action: "restart", label: "Restart", icon: "refresh", right: "certificates.install", variant: "primary" },
  { action: "install", label: "Install", icon: "play", right: "certificates.install" },
  { action: "renew", label: "Renew", icon: "renew", right: "certificates.renew" },
  { action: "revoke", label: "Revoke", icon: "stop", right: "certificates.revoke", variant: "danger" },
];

const MORE: readonly ButtonWords[] = [
  { action: "replace", label: "Replace…", icon: "copy", right: "certificates.replace" },
  { action: "annotate", label: "Comments and fields…", icon: "edit", right: "certificates.edit" },
  { action: "move", label: "Move to another owner…", icon: "organization", right: "certificates.edit" },
  { action: "delete", label: "Delete…", icon: "trash", right: "certificates.delete" },
];

/** The list's menu sends people here with what they want to do (`?do=replace`). */
function useAsked(certificate: Certificate) {
  const [parameters, setParameters] = useSearchParams();
  const wanted = CERTIFICATE_ACTIONS.find((action) => action === parameters.get("do"));
  const [asking, setAsking] = useState<CertificateAction | null>(
    wanted && certificate.actions.includes(wanted) ? wanted : null,
  );
  const close = () => {
    setAsking(null);
    if (!parameters.has("do")) return;
    parameters.delete("do");
    setParameters(parameters, { replace: true });
  };
  return { asking, ask: setAsking, close };
}

/** The buttons that the certificate's state and the reader's roles allow. */
export function CertificateActions({ certificate }: { certificate: Certificate }) {
  const may = useMay();
  const { asking, ask, close } = useAsked(certificate);
  const able = ({ action, right }: ButtonWords) => certificate.actions.includes(action) && may(right);
  const more = MORE.filter(able);
  return (
    <>
      {certificate.actions.includes("download") && <DownloadMenu certificate={certificate} />}
      {certificate.actions.includes("edit") && may("certificates.edit_request") && (
        <LinkButton to={`/certificates/ssl/${certificate.id}/edit`} icon="edit">
          Edit
        </LinkButton>
      )}
      {BUTTONS.filter(able).map(({ action, label, icon, variant }) => (
        <Button
          key={action}
          icon={icon}
          variant={variant ?? "default"}
          onClick={() => {
            ask(action);
          }}
        >
          {label}
        </Button>
      ))}
      {more.length > 0 && (
        <Menu label="More" icon="menu">
          {(closeMenu) =>
            more.map(({ action, label }) => (
              <button
                key={action}
                type="button"
                className="menu-item"
                onClick={() => {
                  closeMenu();
                  ask(action);
                }}
              >
                {label}
              </button>
            ))
          }
        </Menu>
      )}
      {asking && <ActionForm action={asking} certificate={certificate} onClose={close} />}
    </>
  );
}
