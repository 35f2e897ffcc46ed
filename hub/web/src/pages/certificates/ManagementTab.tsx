import type { Certificate } from "../../api/types";
import { CertificateCommands } from "./CertificateCommands";
import { AutoRenewPanel } from "./management/AutoRenewPanel";
import { BudgetPanel } from "./management/BudgetPanel";
import { InstallPanel } from "./management/InstallPanel";
import { KeyPanel } from "./management/KeyPanel";
import { Locations } from "./management/Locations";
import { NotificationsPanel } from "./management/NotificationsPanel";
import { SelfServicePanel } from "./management/SelfServicePanel";
import { isOver } from "./vocabulary";

export function ManagementTab({ certificate }: { certificate: Certificate }) {
  return (
    <div className="stack">
      <div className="columns">
        <div className="stack">
          <InstallPanel certificate={certificate} />
          <KeyPanel certificate={certificate} />
          {certificate.method !== "" && <SelfServicePanel certificate={certificate} />}
        </div>
        <div className="stack">
          <AutoRenewPanel certificate={certificate} />
          {certificate.expires && !isOver(certificate.status) && <BudgetPanel certificate={certificate} />}
        </div>
      </div>
      <NotificationsPanel certificate={certificate} />
      <CertificateCommands commands={certificate.commands} />
      <Locations certificate={certificate} />
    </div>
  );
}
