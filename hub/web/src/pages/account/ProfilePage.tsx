import { useQuery } from "@tanstack/react-query";

import { get } from "../../api/client";
import type { OwnProfile } from "../../api/types";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Tabs, useTab } from "../../components/Tabs";
import { ActivityTab } from "./profile/ActivityTab";
import { DetailsTab } from "./profile/DetailsTab";
import { OwnSessionsTab } from "./profile/OwnSessionsTab";
import { SecurityTab } from "./profile/SecurityTab";

const TABS = [
  { id: "details", label: "Details" },
  { id: "security", label: "Sign-in" },
  { id: "sessions", label: "Sessions" },
  { id: "activity", label: "Recent activity" },
] as const;

export function ProfilePage() {
  const tab = useTab(TABS);
  const query = useQuery({
    queryKey: ["profile", "own"],
    queryFn: ({ signal }) => get<OwnProfile>("/profile", {}, signal),
  });
  return (
    <Loaded query={query}>
      {(profile) => (
        <>
          <PageHeader title={profile.name}>Your own profile: {profile.username}</PageHeader>
          <Tabs tabs={TABS} label="Profile" />
          {tab === "details" && <DetailsTab profile={profile} />}
          {tab === "security" && <SecurityTab />}
          {tab === "sessions" && <OwnSessionsTab />}
          {tab === "activity" && <ActivityTab />}
        </>
      )}
    </Loaded>
  );
}
