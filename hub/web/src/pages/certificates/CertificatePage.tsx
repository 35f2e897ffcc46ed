import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { get } from "../../api/client";
import { useMay } from "../../api/session";
import type { Certificate } from "../../api/types";
import { Status } from "../../components/Badge";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Tabs, useTab } from "../../components/Tabs";
import { CertificateActions } from "./CertificateActions";
import { AuditGrid } from "../administration/AuditGrid";
import { ChainTab } from "./ChainTab";
import { DetailsTab } from "./DetailsTab";
import { HistoryTab } from "./HistoryTab";
import { ManagementTab } from "./ManagementTab";
import { Summary } from "./Summary";
import { TimespanTab } from "./TimespanTab";

const TABS = [
  { id: "details", label: "Details" },
  { id: "management", label: "Management" },
  { id: "chain", label: "Chain of trust" },
  { id: "timespan", label: "Time span" },
  { id: "history", label: "History" },
];
const AUDIT = { id: "audit", label: "Audit log" };

function TabContent({ tab, certificate }: { tab: string; certificate: Certificate }) {
  if (tab === "management") return <ManagementTab certificate={certificate} />;
  if (tab === "chain") return <ChainTab certificate={certificate} />;
  if (tab === "timespan") return <TimespanTab certificate={certificate} />;
  if (tab === "audit") return <AuditGrid type="certificate" id={String(certificate.id)} />;
  if (tab === "history") return <HistoryTab certificate={certificate} />;
  return <DetailsTab certificate={certificate} />;
}

export function CertificatePage() {
  const { id = "" } = useParams();
  const tabs = useMay()("audit.view") ? [...TABS, AUDIT] : TABS;
  const tab = useTab(tabs);
  const query = useQuery({
    queryKey: ["certificates", "one", id],
    queryFn: ({ signal }) => get<Certificate>(`/certificates/${id}`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(certificate) => (
        <>
          <PageHeader
            title={certificate.common_name || "Certificate without a name"}
            aside={<Status value={certificate.status} />}
            actions={<CertificateActions certificate={certificate} />}
          />
          <Summary certificate={certificate} />
          <Tabs tabs={tabs} label="Certificate" />
          <TabContent tab={tab} certificate={certificate} />
        </>
      )}
    </Loaded>
  );
}
