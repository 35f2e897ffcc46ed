import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";

import { get, patch, post } from "../../api/client";
import type { Profile, ProfilePreview } from "../../api/types";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { useToast } from "../../components/toasts";
import type { Values } from "../../forms/jsonSchema";
import { changedValues, ProfileConsequences } from "./ProfileConsequences";
import { ProfileForm } from "./ProfileForm";
import { DEFAULT_RENEWAL } from "./ProfileRenewalFields";

const NEW: Values = {
  trust: "private",
  sub_type: "",
  terms_days: [90, 365],
  key_types: ["EC-P256", "RSA-2048"],
  extended_key_usage: ["serverAuth"],
  key_usage: [],
  ip_addresses: true,
  internal_names: true,
  renewal: DEFAULT_RENEWAL,
  organization_ids: null,
};

const only = (values: Values, fields: readonly string[]): Values =>
  Object.fromEntries(fields.filter((name) => values[name] !== undefined).map((name) => [name, values[name]]));

export function ProfileNewPage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  return (
    <>
      <PageHeader title="Add certificate profile">What may be requested, and which CA issues it.</PageHeader>
      <ProfileForm
        isNew
        initial={NEW}
        back="/profiles"
        confirm="Add profile"
        save={async (values, fields) => {
          const made = await post<Profile>("/profiles", only(values, fields));
          await client.invalidateQueries({ queryKey: ["profiles"] });
          toast("Profile added");
          await navigate(`/profiles/${made.id}`);
        }}
      />
    </>
  );
}

interface Pending {
  changes: Values;
  preview: ProfilePreview;
}

function Edit({ profile }: { profile: Profile }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const [pending, setPending] = useState<Pending | null>(null);
  const back = `/profiles/${profile.id}`;
  const store = async (changes: Values) => {
    await patch(`/profiles/${profile.id}`, changes);
    await client.invalidateQueries({ queryKey: ["profiles"] });
    await navigate(back);
  };
  return (
    <>
      <ProfileForm
        isNew={false}
        initial={{ ...profile }}
        back={back}
        confirm="Save"
        save={async (values, fields) => {
          const changes = changedValues(values, { ...profile }, fields);
          if (Object.keys(changes).length === 0) {
            await navigate(back);
            return;
          }
          const preview = await post<ProfilePreview>(`/profiles/${profile.id}/preview`, changes);
          if (preview.misfits > 0) {
            setPending({ changes, preview });
            return;
          }
          await store(changes);
          toast("Saved");
        }}
      />
      {pending && (
        <ProfileConsequences
          preview={pending.preview}
          save={() => store(pending.changes)}
          onClose={() => {
            setPending(null);
          }}
        />
      )}
    </>
  );
}

export function ProfileEditPage() {
  const { id = "" } = useParams();
  const query = useQuery({
    queryKey: ["profiles", "one", id],
    queryFn: ({ signal }) => get<Profile>(`/profiles/${id}`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(profile) => (
        <>
          <PageHeader title={`Edit ${profile.name}`}>
            Renewals are judged by the profile as it is then: what would no longer fit is shown before it is saved.
          </PageHeader>
          <Edit profile={profile} />
        </>
      )}
    </Loaded>
  );
}
