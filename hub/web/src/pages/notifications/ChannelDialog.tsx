import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { post, put } from "../../api/client";
import { asProblem } from "../../api/problem";
import { ActionDialog } from "../../components/ActionDialog";
import { Loaded } from "../../components/Loaded";
import { Check, Select, TextField } from "../../forms/fields";
import { defaultsOf, type JsonSchema, type Values } from "../../forms/jsonSchema";
import { DepartmentPicker, OrganizationPicker } from "../../forms/pickers";
import { SchemaForm } from "../../forms/SchemaForm";
import { ROOT, useChannelKinds } from "./queries";
import type { Channel, ChannelKind } from "./types";

const isSecret = (schema: JsonSchema | undefined, name: string): boolean =>
  (schema?.properties?.[name] as { format?: string } | undefined)?.format === "password";

const idOf = (text: string): number | null => (text === "" ? null : Number(text));

function Form({ channel, kinds, onClose }: { channel: Channel | undefined; kinds: readonly ChannelKind[]; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(channel?.name ?? "");
  const [kind, setKind] = useState(channel?.kind ?? "");
  const [organization, setOrganization] = useState(String(channel?.organization_id ?? ""));
  const [department, setDepartment] = useState(String(channel?.department_id ?? ""));
  const [enabled, setEnabled] = useState(channel?.enabled ?? true);
  const schemaOf = (wanted: string) => kinds.find((item) => item.kind === wanted)?.settings_schema as JsonSchema | undefined;
  const schema = schemaOf(kind);
  const [settings, setSettings] = useState<Values>({ ...(schema ? defaultsOf(schema) : {}), ...channel?.settings });

  const run = async () => {
    // Secrets that were not typed stay as they are.
    const kept = Object.entries(settings).filter(([field, value]) => !(channel && isSecret(schema, field) && !value));
    const body = { name, kind, organization_id: idOf(organization), department_id: idOf(department), enabled, settings: Object.fromEntries(kept) };
    await (channel ? put(`/notifications/channels/${channel.id}`, body) : post("/notifications/channels", body));
    await client.invalidateQueries({ queryKey: [ROOT] });
  };

  return (
    <ActionDialog
      title={channel ? "Edit channel" : "Add channel"}
      confirm={channel ? "Save" : "Add channel"}
      done={channel ? "Saved" : "Channel added"}
      wide
      disabled={!name.trim() || !kind}
      run={run}
      onClose={onClose}
      shownFields={["name", "kind", "organization_id", ...Object.keys(schema?.properties ?? {}).map((field) => `settings.${field}`)]}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <>
            <div className="form-grid">
              <TextField label="Name" required value={name} onChange={setName} error={problem?.of("name")} />
              <Select
                label="Kind"
                required
                disabled={Boolean(channel)}
                empty="Choose…"
                value={kind}
                onChange={(next) => {
                  const found = schemaOf(next);
                  setKind(next);
                  setSettings(found ? defaultsOf(found) : {});
                }}
                options={kinds.map((item) => ({ value: item.kind, label: item.display_name }))}
                error={problem?.of("kind")}
              />
              {!channel && (
                <>
                  <OrganizationPicker empty="All organizations" value={organization} onChange={setOrganization} error={problem?.of("organization_id")} />
                  <DepartmentPicker organizationId={organization} value={department} onChange={setDepartment} />
                </>
              )}
            </div>
            {channel && <p className="muted">Leave secrets empty to keep them.</p>}
            {schema && <SchemaForm schema={schema} values={settings} onChange={setSettings} problem={problem} path="settings." />}
            <Check label="Active" checked={enabled} onChange={setEnabled} />
          </>
        );
      }}
    </ActionDialog>
  );
}

export function ChannelDialog({ channel, onClose }: { channel?: Channel; onClose: () => void }) {
  const query = useChannelKinds();
  return <Loaded query={query}>{(kinds) => <Form channel={channel} kinds={kinds} onClose={onClose} />}</Loaded>;
}
