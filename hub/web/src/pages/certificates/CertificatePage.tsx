import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { get } from "../../api/client";
import type { Certificate } from "../../api/types";
import { Status } from "../../components/Badge";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Tabs, useTab } from "../../components/Tabs";
import { CertificateActions } from "./CertificateActions";
import { ChainTab } from "./ChainTab";
import { DetailsTab } from "./DetailsTab";
import { HistoryTab } from "./HistoryTab";
import { ManagementTab } from "./ManagementTab";
import { Summary } from "./Summary";

const TABS = [
  { id: "details", label: "Details" },
  { id: "management", label: "Management" },
  { id: "chain", label: "Chain of trust" },
  { id: "history", label: "Time span and history" },
] as const;

function TabContent({ tab, certificate }: { tab: string; certificate: Certificate }) {
  if (tab === "management") return <ManagementTab certificate={certificate} />;
  if (tab === "chain") return <ChainTab certificate={certificate} />;
  if (tab === "history") return <HistoryTab certificate={certificate} />;
  return <DetailsTab certificate={certificate} />;
}

export function CertificatePage() {
  const { id = "" } = useParams();
  const tab = useTab(TABS);
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
          <Tabs tabs={TABS} label="Certificate" />
          <TabContent tab={tab} certificate={certificate} />
        </>
      )}
    </Loaded>
  );
}
