import { useState } from "react";

import { download } from "../../api/client";
import { useMay } from "../../api/session";
import type { Certificate } from "../../api/types";
import { Button } from "../../components/Button";
import { Menu } from "../../components/Menu";
import { useToast } from "../../components/toasts";
import { ActionForm, type CertificateAction } from "./ActionForm";
import { DOWNLOADS } from "./vocabulary";

function DownloadMenu({ certificate }: { certificate: Certificate }) {
  const toast = useToast();
  const save = async (format: string) => {
    try {
      await download(`/certificates/${certificate.id}/download`, { format });
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "bad");
    }
  };
  return (
    <Menu label="Download" icon="download">
      {(close) =>
        DOWNLOADS.map(({ format, label }) => (
          <button
            key={format}
            type="button"
            className="menu-item"
            onClick={() => {
              close();
              void save(format);
            }}
          >
            {label}
          </button>
        ))
      }
    </Menu>
  );
}

interface ButtonWords {
  action: CertificateAction;
  label: string;
  icon: "check" | "close" | "renew" | "play" | "edit" | "stop";
  right: string;
  variant?: "primary" | "danger";
}

const BUTTONS: readonly ButtonWords[] = [
  { action: "approve", label: "Approve", icon: "check", right: "certificates.approve", variant: "primary" },
  { action: "decline", label: "Decline", icon: "close", right: "certificates.decline" },
  { action: "assign", label: "Assign", icon: "edit", right: "certificates.edit" },
  { action: "install", label: "Install", icon: "play", right: "certificates.install" },
  { action: "renew", label: "Renew", icon: "renew", right: "certificates.renew" },
  { action: "revoke", label: "Revoke", icon: "stop", right: "certificates.revoke", variant: "danger" },
];

/** The buttons that the certificate's state and the reader's roles allow. */
export function CertificateActions({ certificate }: { certificate: Certificate }) {
  const may = useMay();
  const [asking, setAsking] = useState<CertificateAction | null>(null);
  const shown = BUTTONS.filter(({ action, right }) => certificate.actions.includes(action) && may(right));
  return (
    <>
      {certificate.actions.includes("download") && <DownloadMenu certificate={certificate} />}
      {shown.map(({ action, label, icon, variant }) => (
        <Button
          key={action}
          icon={icon}
          variant={variant ?? "default"}
          onClick={() => {
            setAsking(action);
          }}
        >
          {label}
        </Button>
      ))}
      {asking && (
        <ActionForm
          action={asking}
          certificate={certificate}
          onClose={() => {
            setAsking(null);
          }}
        />
      )}
    </>
  );
}
