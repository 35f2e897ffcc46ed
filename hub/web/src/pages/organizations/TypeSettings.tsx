import { useQuery, useQueryClient } from "@tanstack/react-query";

import { useProfiles } from "../../api/choices";
import { get, put, remove } from "../../api/client";
import { useMay } from "../../api/session";
import type { TypeSettings as Settings } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Badge } from "../../components/Badge";
import { DialogButton } from "../../components/DialogButton";
import { Loaded } from "../../components/Loaded";
import { Facts, Panel } from "../../components/Panel";
import { Check, Field } from "../../forms/fields";
import type { FieldOverride, FieldProps } from "../../forms/SchemaForm";
import { SchemaDialog } from "../../forms/SchemaDialog";
import { TYPE_LABELS } from "../administration/grants";

const FIELDS = [
  "enabled",
  "profile_ids",
  "synced_expiry_day",
  "external_requester_pattern",
  "external_requester_required",
  "principal_name_allowed",
  "principal_name_customizable",
] as const;

function ProfileChoice({ value, onChange, error, type }: FieldProps & { type: string }) {
  const profiles = useProfiles();
  const chosen = Array.isArray(value) ? (value as number[]) : null;
  const offered = (profiles.data ?? []).filter((profile) => profile.certificate_type === type);
  return (
    <Field label="Certificate profiles" wide error={error}>
      {() => (
        <div className="stack-s">
          <Check
            label="All that are offered to the organization"
            checked={chosen === null}
            onChange={(all) => {
              onChange(all ? null : offered.map((profile) => profile.id));
            }}
          />
          {chosen !== null && (
            <div className="choices">
              {offered.map((profile) => (
                <Check
                  key={profile.id}
                  label={profile.name}
                  checked={chosen.includes(profile.id)}
                  onChange={(checked) => {
                    const kept = chosen.filter((id) => id !== profile.id);
                    onChange(checked ? [...kept, profile.id] : kept);
                  }}
                />
              ))}
              {offered.length === 0 && <span className="muted">There is no profile of this type.</span>}
            </div>
          )}
        </div>
      )}
    </Field>
  );
}

const overridesFor = (type: string): Record<string, FieldOverride> => ({
  enabled: { label: "Enabled", hint: "Otherwise no such certificates can be requested." },
  profile_ids: { render: (props) => <ProfileChoice {...props} type={type} /> },
  synced_expiry_day: {
    label: "Synchronised expiry day",
    hint: "Day of the month on which certificates end (31: its last day). Empty: after their term.",
  },
  external_requester_required: { label: "An external requester must be named" },
  external_requester_pattern: { label: "External requesters" },
  principal_name_allowed: { label: "Principal name allowed" },
  principal_name_customizable: { label: "Principal name may differ from the e-mail address" },
});

interface PlaceProps {
  /** `/organizations/1/settings`, or a department's. */
  path: string;
}

function EditButton({ settings, path }: PlaceProps & { settings: Settings }) {
  const client = useQueryClient();
  const type = settings.certificate_type;
  return (
    <DialogButton small icon="edit" label="Edit">
      {(close) => (
        <SchemaDialog
          schema="SettingsBody"
          title={`${TYPE_LABELS[type] ?? type} certificates`}
          confirm="Save"
          done="Saved"
          wide
          fields={FIELDS}
          overrides={overridesFor(type)}
          initial={Object.fromEntries(FIELDS.map((name) => [name, settings[name]]))}
          run={async (values) => {
            await put(`${path}/${type}`, Object.fromEntries(FIELDS.map((name) => [name, values[name]])));
            await client.invalidateQueries({ queryKey: ["organizations"] });
          }}
          onClose={close}
        />
      )}
    </DialogButton>
  );
}

function InheritButton({ settings, path }: PlaceProps & { settings: Settings }) {
  const client = useQueryClient();
  return (
    <DialogButton small label="Inherit">
      {(close) => (
        <ActionDialog
          title="Inherit the organization's settings"
          confirm="Inherit"
          done="Inherited"
          run={async () => {
            await remove(`${path}/${settings.certificate_type}`);
            await client.invalidateQueries({ queryKey: ["organizations"] });
          }}
          onClose={close}
        >
          <p>The department&rsquo;s own settings for this type are removed.</p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

function TypePanel({ settings, path, isDepartment }: PlaceProps & { settings: Settings; isDepartment: boolean }) {
  const may = useMay();
  const profiles = useProfiles();
  const type = settings.certificate_type;
  const names = settings.profile_ids?.map((id) => profiles.data?.find((item) => item.id === id)?.name ?? `Profile ${id}`);
  const day = settings.synced_expiry_day;
  return (
    <Panel
      title={TYPE_LABELS[type] ?? type}
      actions={
        <>
          {settings.enabled ? <Badge tone="ok">Enabled</Badge> : <Badge tone="idle">Off</Badge>}
          {settings.inherited && <Badge tone="info">Inherited</Badge>}
          {may("organization_settings.edit") && <EditButton settings={settings} path={path} />}
          {may("organization_settings.edit") && isDepartment && !settings.inherited && (
            <InheritButton settings={settings} path={path} />
          )}
        </>
      }
    >
      <Facts
        items={[
          ["Profiles", names ? names.join(", ") || "None" : "All that are offered"],
          ["Certificates end", day === null ? "After their term" : day === 31 ? "On the last day of a month" : `On day ${day} of a month`],
          ["External requester", settings.external_requester_required ? "Must be named" : "May be named"],
          ["External requesters", settings.external_requester_pattern],
          [
            "Principal name",
            settings.principal_name_allowed
              ? settings.principal_name_customizable
                ? "Allowed, may be set"
                : "Allowed, is the e-mail address"
              : "Not allowed",
          ],
        ]}
      />
    </Panel>
  );
}

/** What an organization or department may do with each type of certificate. */
export function TypeSettings({ path, isDepartment = false }: PlaceProps & { isDepartment?: boolean }) {
  const query = useQuery({
    queryKey: ["organizations", "settings", path],
    queryFn: ({ signal }) => get<{ items: Settings[] }>(path, {}, signal),
  });
  return (
    <Loaded query={query}>
      {({ items }) => (
        <div className="columns">
          {items.map((settings) => (
            <TypePanel key={settings.certificate_type} settings={settings} path={path} isDepartment={isDepartment} />
          ))}
        </div>
      )}
    </Loaded>
  );
}
