import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "react-router";

import { useBackends, useOrganizations } from "../../api/choices";
import { get, remove } from "../../api/client";
import { useMay } from "../../api/session";
import type { Profile, RenewalPolicy } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Badge, Status } from "../../components/Badge";
import { Button } from "../../components/Button";
import { DialogButton } from "../../components/DialogButton";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { SAN_RULES, SUB_TYPES } from "./profileSections";
import { SOURCE_LABELS, SUBJECT_LABELS } from "./ProfileSubjectFields";

function Terms({ profile }: { profile: Profile }) {
  return (
    <ul className="facts-list">
      {profile.terms.map((term) => (
        <li key={term.days}>
          {term.days} days
          {!term.offered && <Badge tone="bad">Too long for public trust</Badge>}
          {term.offered && term.until && <span className="muted"> until {term.until}</span>}
        </li>
      ))}
    </ul>
  );
}

function namesOf(profile: Profile): string {
  const rule = SAN_RULES[profile.san_rule] ?? profile.san_rule;
  if (profile.san_rule === "single") return profile.www_included ? `${rule}; its www. name too` : rule;
  if (profile.san_rule === "wildcard") return `${rule}, and the name it stands over`;
  return `${rule}: ${profile.min_names} to ${profile.max_names}`;
}

function approvalOf(profile: Profile): string {
  if (profile.auto_approve) return "Automatic";
  return profile.approvals === 2 ? "By two administrators" : "By an administrator";
}

const dueOf = (renewal: RenewalPolicy): string =>
  renewal.days_before === null
    ? `When ${Math.round(renewal.share * 100)} % of the lifetime are over`
    : `${renewal.days_before} days before the end`;

function Renewal({ renewal }: { renewal: RenewalPolicy }) {
  const revoke = renewal.revoke_after_hours;
  return (
    <Panel title="Renewal">
      <Facts
        items={[
          ["Automatic", renewal.enabled ? "Yes, unless a certificate says otherwise" : "No, unless a certificate says otherwise"],
          ["Due", dueOf(renewal)],
          ["Spread over", `${renewal.jitter_hours} hours`],
          ["Key pair", renewal.new_key_pair ? "A new one each time" : "The same again"],
          ["The old certificate", revoke === null ? "Ends by itself" : `Is revoked ${revoke} hours after the new one works`],
        ]}
      />
    </Panel>
  );
}

function Details({ profile }: { profile: Profile }) {
  const backends = useBackends();
  const organizations = useOrganizations();
  const backend = backends.data?.find((item) => item.id === profile.backend_id);
  const names = profile.organization_ids?.map(
    (id) => organizations.data?.find((item) => item.id === id)?.name ?? String(id),
  );
  return (
    <div className="columns">
      <Panel title="General">
        <Facts
          items={[
            ["Description", profile.description],
            ["CA backend", <Link key="ca" to={`/ca-backends/${profile.backend_id}`}>{backend?.name ?? profile.backend_id}</Link>],
            ["Trust", profile.trust === "public" ? "Public" : "Private"],
            ["Validation", profile.sub_type && SUB_TYPES[profile.sub_type]],
            ["Terms", <Terms key="terms" profile={profile} />],
            ["Approval", approvalOf(profile)],
            ["Organizations", names?.join(", ") ?? "All"],
          ]}
        />
      </Panel>
      <Panel title="Names and keys">
        <Facts
          items={[
            ["Names", namesOf(profile)],
            ["IP addresses", profile.ip_addresses ? "Allowed" : "Not allowed"],
            ["Internal names", profile.internal_names ? "Allowed" : "Not allowed"],
            ["Key types", profile.key_types.join(", ")],
            ["Key usage", profile.key_usage.join(", ") || "What suits the key type"],
            ["Extended key usage", profile.extended_key_usage.join(", ")],
          ]}
        />
      </Panel>
      <Renewal renewal={profile.renewal} />
      <Panel title="Subject">
        <Facts
          items={Object.entries(profile.subject_policy).map(
            ([attribute, source]) => [SUBJECT_LABELS[attribute] ?? attribute, SOURCE_LABELS[source] ?? source] as const,
          )}
        />
      </Panel>
      {profile.agreement && (
        <Panel title="Subscriber agreement">
          <p className="plain-lines">{profile.agreement}</p>
        </Panel>
      )}
    </div>
  );
}

function DeleteButton({ profile }: { profile: Profile }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <DialogButton label="Delete">
      {(close) => (
        <ActionDialog
          title="Delete certificate profile"
          confirm="Delete"
          danger
          done="Profile deleted"
          run={async () => {
            await remove(`/profiles/${profile.id}`);
            await client.invalidateQueries({ queryKey: ["profiles", "list"] });
            await navigate("/profiles");
          }}
          onClose={close}
        >
          <p>
            <strong>{profile.name}</strong> is removed. One that was ever used can only be disabled.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

export function ProfilePage() {
  const { id = "" } = useParams();
  const may = useMay();
  const navigate = useNavigate();
  const query = useQuery({
    queryKey: ["profiles", "one", id],
    queryFn: ({ signal }) => get<Profile>(`/profiles/${id}`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(profile) => (
        <>
          <PageHeader
            title={profile.name}
            aside={<Status value={profile.status} />}
            actions={
              may("profiles.edit") && (
                <>
                  <DeleteButton profile={profile} />
                  <Button icon="edit" onClick={() => void navigate(`/profiles/${profile.id}/edit`)}>
                    Edit
                  </Button>
                </>
              )
            }
          />
          <Details profile={profile} />
        </>
      )}
    </Loaded>
  );
}
