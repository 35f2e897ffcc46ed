import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { get, patch, post } from "../../api/client";
import { asProblem } from "../../api/problem";
import type { Backend, BackendKind } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Loaded } from "../../components/Loaded";
import { Select, TextField } from "../../forms/fields";
import { defaultsOf, type JsonSchema, type Values } from "../../forms/jsonSchema";
import { SchemaForm } from "../../forms/SchemaForm";

const PRIVATE = "private_ca";

const isSecret = (schema: JsonSchema | undefined, name: string): boolean =>
  (schema?.properties?.[name] as { format?: string } | undefined)?.format === "password";

const OVERRIDES = { url: { label: "Address", wide: true }, ca_bundle: { label: "CAs of the server's certificate (PEM)" } };

interface Props {
  backend?: Backend;
  onClose: () => void;
}

function Form({ backend, kinds, onClose }: Props & { kinds: readonly BackendKind[] }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(backend?.name ?? "");
  const [kind, setKind] = useState(backend?.kind ?? "");
  const schemaOf = (wanted: string) => kinds.find((item) => item.kind === wanted)?.settings_schema as JsonSchema | undefined;
  const schema = schemaOf(kind);
  const [settings, setSettings] = useState<Values>({ ...(schema ? defaultsOf(schema) : {}), ...backend?.settings });

  const run = async () => {
    // Secrets that were not typed stay as they are.
    const kept = Object.entries(settings).filter(([field, value]) => !(isSecret(schema, field) && !value));
    const body = { name, settings: Object.fromEntries(kept) };
    const saved = await (backend
      ? patch<Backend>(`/ca-backends/${backend.id}`, body)
      : post<Backend>("/ca-backends", { ...body, kind }));
    await client.invalidateQueries({ queryKey: ["ca-backends"] });
    if (!backend) await navigate(`/ca-backends/${saved.id}`);
  };

  return (
    <ActionDialog
      title={backend ? "Edit CA backend" : "Add a CA elsewhere"}
      confirm={backend ? "Save" : "Add CA"}
      done={backend ? "Saved" : "CA added: test it now"}
      wide
      disabled={!name.trim() || !kind}
      run={run}
      onClose={onClose}
      shownFields={["name", "kind", ...Object.keys(schema?.properties ?? {}).map((field) => `settings.${field}`)]}
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
                disabled={Boolean(backend)}
                empty="Choose…"
                value={kind}
                onChange={(next) => {
                  const found = schemaOf(next);
                  setKind(next);
                  setSettings(found ? defaultsOf(found) : {});
                }}
                options={kinds
                  .filter((item) => backend !== undefined || item.kind !== PRIVATE)
                  .map((item) => ({ value: item.kind, label: item.title }))}
                error={problem?.of("kind")}
              />
            </div>
            {backend && <p className="muted">Leave secrets empty to keep them.</p>}
            {schema && (
              <SchemaForm
                schema={schema}
                values={settings}
                onChange={setSettings}
                problem={problem}
                path="settings."
                overrides={OVERRIDES}
              />
            )}
          </>
        );
      }}
    </ActionDialog>
  );
}

/** Configures a CA elsewhere, by the form that its kind describes. */
export function BackendDialog(props: Props) {
  const query = useQuery({
    queryKey: ["ca-backends", "kinds"],
    queryFn: () => get<{ items: BackendKind[] }>("/ca-backends/kinds").then((list) => list.items),
  });
  return <Loaded query={query}>{(kinds) => <Form {...props} kinds={kinds} />}</Loaded>;
}
