import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";

import { useBackends, useOrganizations } from "../../api/choices";
import { get, patch } from "../../api/client";
import { useMay } from "../../api/session";
import type { Profile } from "../../api/types";
import { Status } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { SchemaDialog } from "../../forms/SchemaDialog";
import { PROFILE_FIELDS, PROFILE_OVERRIDES, SAN_RULES } from "./profileForm";

const FIELDS = [...PROFILE_FIELDS.filter((name) => name !== "trust"), "status"];

function EditButton({ profile }: { profile: Profile }) {
  const client = useQueryClient();
  const [editing, setEditing] = useState(false);
  return (
    <>
      <Button
        icon="edit"
        onClick={() => {
          setEditing(true);
        }}
      >
        Edit
      </Button>
      {editing && (
        <SchemaDialog
          schema="ProfileChange"
          title="Edit certificate profile"
          confirm="Save"
          done="Saved"
          wide
          fields={FIELDS}
          overrides={PROFILE_OVERRIDES}
          initial={Object.fromEntries(FIELDS.map((name) => [name, profile[name as keyof Profile]]))}
          run={async (values) => {
            // A null would mean a change, here of who may use the profile; only what was shown is sent.
            await patch(`/profiles/${profile.id}`, Object.fromEntries(FIELDS.map((name) => [name, values[name]])));
            await client.invalidateQueries({ queryKey: ["profiles"] });
          }}
          onClose={() => {
            setEditing(false);
          }}
        />
      )}
    </>
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
      <Panel title="Profile">
        <Facts
          items={[
            ["Description", profile.description],
            ["CA backend", <Link key="ca" to={`/ca-backends/${profile.backend_id}`}>{backend?.name ?? profile.backend_id}</Link>],
            ["Trust", profile.trust === "public" ? "Public" : "Private"],
            ["Terms", `${profile.terms_days.join(", ")} days`],
            ["Key types", profile.key_types.join(", ")],
            ["Names", `${SAN_RULES[profile.san_rule] ?? profile.san_rule}, at most ${profile.max_names}`],
            ["Approval", profile.auto_approve ? "Automatic" : "By hand"],
            ["Organizations", names?.join(", ") ?? "All"],
          ]}
        />
      </Panel>
      <Panel title="Certificate">
        <Facts
          items={[
            ["Key usage", profile.key_usage.join(", ") || "What suits the key type"],
            ["Extended key usage", profile.extended_key_usage.join(", ")],
            ...Object.entries(profile.subject_policy).map(
              ([attribute, source]) => [`Subject: ${attribute.replaceAll("_", " ")}`, source] as const,
            ),
          ]}
        />
      </Panel>
    </div>
  );
}

export function ProfilePage() {
  const { id = "" } = useParams();
  const may = useMay();
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
            actions={may("profiles.edit") && <EditButton profile={profile} />}
          />
          <Details profile={profile} />
        </>
      )}
    </Loaded>
  );
}
