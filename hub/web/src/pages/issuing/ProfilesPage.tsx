import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { useBackends, useProfiles } from "../../api/choices";
import { post } from "../../api/client";
import { useMay } from "../../api/session";
import { Badge, Status } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { PlainTable } from "../../components/PlainTable";
import { SchemaDialog } from "../../forms/SchemaDialog";
import { PROFILE_FIELDS, PROFILE_OVERRIDES } from "./profileForm";

const DEFAULTS = { terms_days: [90, 365], key_types: ["EC-P256", "RSA-2048"], extended_key_usage: ["serverAuth"] };

function NewProfile({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  return (
    <SchemaDialog
      schema="ProfileCreate"
      title="Add certificate profile"
      confirm="Add profile"
      done="Profile added"
      wide
      fields={PROFILE_FIELDS}
      overrides={PROFILE_OVERRIDES}
      initial={DEFAULTS}
      run={async (values) => {
        await post("/profiles", values);
        await client.invalidateQueries({ queryKey: ["profiles"] });
      }}
      onClose={onClose}
    />
  );
}

export function ProfilesPage() {
  const may = useMay();
  const profiles = useProfiles();
  const backends = useBackends();
  const [creating, setCreating] = useState(false);
  const create = may("profiles.edit") && (
    <Button
      variant="primary"
      icon="plus"
      onClick={() => {
        setCreating(true);
      }}
    >
      Add profile
    </Button>
  );
  return (
    <>
      <PageHeader title="Certificate profiles" actions={create}>
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
              { label: "Trust", cell: (profile) => (profile.trust === "public" ? "Public" : "Private") },
              {
                label: "CA backend",
                cell: (profile) => backends.data?.find((item) => item.id === profile.backend_id)?.name ?? "—",
              },
              { label: "Terms", cell: (profile) => `${profile.terms_days.join(", ")} days` },
              { label: "Key types", cell: (profile) => profile.key_types.join(", ") },
              {
                label: "Approval",
                cell: (profile) =>
                  profile.auto_approve ? <Badge tone="info">Automatic</Badge> : <Badge tone="idle">By hand</Badge>,
              },
            ]}
          />
        )}
      </Loaded>
      {creating && (
        <NewProfile
          onClose={() => {
            setCreating(false);
          }}
        />
      )}
    </>
  );
}
