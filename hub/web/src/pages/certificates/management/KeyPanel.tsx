import { useMay } from "../../../api/session";
import type { Certificate } from "../../../api/types";
import { DialogButton } from "../../../components/DialogButton";
import { Facts, Panel } from "../../../components/Panel";
import { AgentLink } from "../../agents/AgentLink";
import { KeyDeleteDialog } from "../keys/KeyDeleteDialog";
import { KeyDownloadDialog } from "../keys/KeyDownloadDialog";
import { KeyUploadDialog } from "../keys/KeyUploadDialog";
import { KEY_LOCATIONS } from "../vocabulary";

/** Where the private key is, and what can be done with it there. */
export function KeyPanel({ certificate }: { certificate: Certificate }) {
  const may = useMay();
  const able = (action: string) => certificate.actions.includes(action);
  const download = able("download_key");
  const missing = download && !may("certificates.download_key");
  return (
    <Panel
      title="Private key"
      foot={missing ? "Downloading and deleting keys takes the privilege “Download private keys”." : undefined}
      actions={
        <>
          {able("upload_key") && may("certificates.upload_key") && (
            <DialogButton small label="Upload key" icon="key">
              {(close) => <KeyUploadDialog certificate={certificate} onClose={close} />}
            </DialogButton>
          )}
          {download && may("certificates.download_key") && (
            <DialogButton small label="Download key" icon="download">
              {(close) => <KeyDownloadDialog certificate={certificate} onClose={close} />}
            </DialogButton>
          )}
          {able("delete_key") && may("certificates.delete_key") && (
            <DialogButton small label="Delete key" icon="trash" variant="danger">
              {(close) => <KeyDeleteDialog certificate={certificate} onClose={close} />}
            </DialogButton>
          )}
        </>
      }
    >
      <Facts
        items={[
          ["Private key", KEY_LOCATIONS[certificate.private_key] ?? "Not with any agent"],
          ["Kept by", certificate.private_key_agent && <AgentLink name={certificate.private_key_agent} id={null} />],
          ["Key", certificate.key_type],
        ]}
      />
    </Panel>
  );
}
