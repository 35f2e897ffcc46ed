import { useState } from "react";

import { download } from "../../api/client";
import { useMay } from "../../api/session";
import type { Certificate } from "../../api/types";
import { Menu } from "../../components/Menu";
import { useToast } from "../../components/toasts";
import { KeyDownloadDialog } from "./keys/KeyDownloadDialog";
import { DOWNLOADS } from "./vocabulary";

/** The seven formats, and PKCS#12 with the key where a private key store has it. */
export function DownloadMenu({ certificate }: { certificate: Certificate }) {
  const may = useMay();
  const toast = useToast();
  const [withKey, setWithKey] = useState(false);
  const save = async (format: string) => {
    try {
      await download(`/certificates/${certificate.id}/download`, { format });
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), "bad");
    }
  };
  const keyed = certificate.actions.includes("download_key") && may("certificates.download_key");
  return (
    <>
      <Menu label="Download" icon="download">
        {(close) => (
          <>
            {DOWNLOADS.map(({ format, label }) => (
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
            ))}
            {keyed && (
              <button
                type="button"
                className="menu-item"
                onClick={() => {
                  close();
                  setWithKey(true);
                }}
              >
                Certificate and private key, PKCS #12…
              </button>
            )}
          </>
        )}
      </Menu>
      {withKey && (
        <KeyDownloadDialog
          certificate={certificate}
          onClose={() => {
            setWithKey(false);
          }}
        />
      )}
    </>
  );
}
