import { PageHeader } from "../../components/PageHeader";
import { Tabs, useTab } from "../../components/Tabs";
import { CertificatesTab } from "./CertificatesTab";
import { PolicyTab } from "./PolicyTab";
import { ProvidersTab } from "./ProvidersTab";
import { RulesTab } from "./RulesTab";
import { SessionsTab } from "./SessionsTab";

const TABS = [
  { id: "rules", label: "Access rules" },
  { id: "policy", label: "Second factor" },
  { id: "providers", label: "Identity providers" },
  { id: "certificates", label: "Client certificates" },
  { id: "sessions", label: "Sessions" },
] as const;

export function AccessPage() {
  const tab = useTab(TABS);
  return (
    <>
      <PageHeader title="Access">How administrators sign in, and from where.</PageHeader>
      <Tabs tabs={TABS} label="Access" />
      {tab === "rules" && <RulesTab />}
      {tab === "policy" && <PolicyTab />}
      {tab === "providers" && <ProvidersTab />}
      {tab === "certificates" && <CertificatesTab />}
      {tab === "sessions" && <SessionsTab />}
    </>
  );
}
