import { useMay } from "../../api/session";
import { PageHeader } from "../../components/PageHeader";
import { Tabs, useTab } from "../../components/Tabs";
import { AddChannel, ChannelsTab } from "./ChannelsTab";
import { AddRule, RulesTab } from "./RulesTab";
import { SentTab } from "./SentTab";
import { TemplatesTab } from "./TemplatesTab";

const TABS = [
  { id: "rules", label: "Rules" },
  { id: "templates", label: "Templates" },
  { id: "channels", label: "Channels" },
  { id: "sent", label: "Sent" },
] as const;

export function NotificationsPage() {
  const may = useMay();
  const tabs = TABS.filter((tab) => tab.id !== "channels" || may("notification_channels.view"));
  const tab = useTab(tabs);
  return (
    <>
      <PageHeader
        title="Notifications"
        actions={
          <>
            {tab === "rules" && may("notifications.edit") && <AddRule />}
            {tab === "channels" && may("notification_channels.edit") && <AddChannel />}
          </>
        }
      >
        Who is told what, in which words, and whether it arrived.
      </PageHeader>
      <Tabs tabs={tabs} label="Parts of notifications" />
      {tab === "rules" && <RulesTab />}
      {tab === "templates" && <TemplatesTab />}
      {tab === "channels" && <ChannelsTab />}
      {tab === "sent" && <SentTab />}
    </>
  );
}
