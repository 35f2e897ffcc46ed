import { Link, useNavigate } from "react-router";

import { useBackends, useProfiles } from "../../api/choices";
import { useMay } from "../../api/session";
import type { Profile } from "../../api/types";
import { Badge, Status } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { PlainTable } from "../../components/PlainTable";
import { SAN_RULES } from "./profileSections";

function Approval({ profile }: { profile: Profile }) {
  if (profile.auto_approve) return <Badge tone="info">Automatic</Badge>;
  return <Badge tone="idle">{profile.approvals === 2 ? "By two" : "By hand"}</Badge>;
}

function TermsCell({ profile }: { profile: Profile }) {
  const offered = profile.terms.filter((term) => term.offered).map((term) => term.days);
  if (offered.length === 0) return <Badge tone="bad">None is allowed any more</Badge>;
  return `${offered.join(", ")} days`;
}

const trustOf = (profile: Profile) =>
  `${profile.trust === "public" ? "Public" : "Private"}${profile.sub_type ? `, ${profile.sub_type}` : ""}`;

export function ProfilesPage() {
  const may = useMay();
  const navigate = useNavigate();
  const profiles = useProfiles();
  const backends = useBackends();
  const create = may("profiles.edit") && (
    <Button variant="primary" icon="plus" onClick={() => void navigate("/profiles/new")}>
      Add profile
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Certificate profiles"
        actions={create}
      >
        What may be requested, and which CA issues it.
      </PageHeader>
      <Loaded query={profiles}>
        {(items) => (
          <PlainTable
            title="Profiles"
            empty="No profiles yet. Without one nothing can be requested."
            rows={items}
            rowKey={(profile) => String(profile.id)}
            columns={[
              { label: "Name", cell: (profile) => <Link to={`/profiles/${profile.id}`}>{profile.name}</Link> },
              { label: "Status", cell: (profile) => <Status value={profile.status} /> },
              { label: "Trust", cell: trustOf },
              {
                label: "CA backend",
                cell: (profile) => backends.data?.find((item) => item.id === profile.backend_id)?.name ?? "—",
              },
              { label: "Names", cell: (profile) => SAN_RULES[profile.san_rule] ?? profile.san_rule },
              { label: "Terms", cell: (profile) => <TermsCell profile={profile} /> },
              { label: "Key types", cell: (profile) => profile.key_types.join(", ") },
              { label: "Approval", cell: (profile) => <Approval profile={profile} /> },
              {
                label: "Renewal",
                cell: (profile) =>
                  profile.renewal.enabled ? <Badge tone="info">Automatic</Badge> : <Badge tone="idle">On request</Badge>,
              },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}
