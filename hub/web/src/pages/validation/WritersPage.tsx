import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { useOrganizations } from "../../api/choices";
import { post, remove } from "../../api/client";
import { asProblem } from "../../api/problem";
import { useMay } from "../../api/session";
import type { DnsWriter } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Badge } from "../../components/Badge";
import { DialogButton } from "../../components/DialogButton";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { PlainTable } from "../../components/PlainTable";
import { Time } from "../../components/Time";
import { Select, TextField } from "../../forms/fields";
import { defaultsOf, type JsonSchema, type Values } from "../../forms/jsonSchema";
import { OrganizationPicker } from "../../forms/pickers";
import { SchemaForm } from "../../forms/SchemaForm";
import { useMethods, useWriters } from "./methods";

function AddDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const methods = useMethods();
  const kinds = methods.data?.writer_kinds ?? [];
  const [name, setName] = useState("");
  const [kind, setKind] = useState("");
  const [organization, setOrganization] = useState("");
  const [settings, setSettings] = useState<Values>({});
  const schema = kinds.find((item) => item.kind === kind)?.settings_schema as JsonSchema | undefined;
  return (
    <ActionDialog
      title="Add DNS writer"
      confirm="Add DNS writer"
      done="DNS writer added"
      wide
      disabled={!name.trim() || !kind}
      run={async () => {
        const organization_id = organization ? Number(organization) : null;
        await post("/dcv/writers", { name, kind, organization_id, settings });
        await client.invalidateQueries({ queryKey: ["dcv"] });
      }}
      onClose={onClose}
      shownFields={["name", "kind", "organization_id", ...Object.keys(schema?.properties ?? {})]}
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
                empty="Choose…"
                value={kind}
                onChange={(next) => {
                  setKind(next);
                  const found = kinds.find((item) => item.kind === next)?.settings_schema as JsonSchema | undefined;
                  setSettings(found ? defaultsOf(found) : {});
                }}
                options={kinds.map((item) => ({ value: item.kind, label: item.display_name }))}
                error={problem?.of("kind")}
              />
              <OrganizationPicker empty="All organizations" value={organization} onChange={setOrganization} />
            </div>
            {schema && <SchemaForm schema={schema} values={settings} onChange={setSettings} problem={problem} />}
          </>
        );
      }}
    </ActionDialog>
  );
}

function RemoveButton({ writer }: { writer: DnsWriter }) {
  const client = useQueryClient();
  return (
    <DialogButton small variant="link" label="Remove">
      {(close) => (
        <ActionDialog
          title="Remove DNS writer"
          confirm="Remove"
          danger
          done="DNS writer removed"
          run={() => remove(`/dcv/writers/${writer.id}`).then(() => client.invalidateQueries({ queryKey: ["dcv"] }))}
          onClose={close}
        >
          <p>
            <strong>{writer.name}</strong> and its secrets are removed. One that a domain uses can&rsquo;t be.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

function Kind({ writer }: { writer: DnsWriter }) {
  const { data } = useMethods();
  return <>{data?.writer_kinds.find((item) => item.kind === writer.kind)?.display_name ?? writer.kind}</>;
}

function Owner({ writer }: { writer: DnsWriter }) {
  const { data } = useOrganizations();
  if (writer.organization_id === null) return <>All organizations</>;
  return <>{data?.find((item) => item.id === writer.organization_id)?.name ?? `Organization ${writer.organization_id}`}</>;
}

const COLUMNS = [
  { label: "Name", cell: (row: DnsWriter) => row.name },
  { label: "Kind", cell: (row: DnsWriter) => <Kind writer={row} /> },
  { label: "For", cell: (row: DnsWriter) => <Owner writer={row} /> },
  { label: "Last use", cell: (row: DnsWriter) => (row.problem ? <Badge tone="bad">{row.problem}</Badge> : <span className="muted">No problem known</span>) },
  { label: "Added", cell: (row: DnsWriter) => <Time value={row.created_at} /> },
];

const rowKey = (row: DnsWriter) => String(row.id);

export function WritersPage() {
  const may = useMay();
  const query = useWriters();
  const edits = may("dcv.edit_writers");
  const columns = edits ? [...COLUMNS, { label: "", cell: (row: DnsWriter) => <RemoveButton writer={row} /> }] : COLUMNS;
  return (
    <>
      <PageHeader
        title="DNS writers"
        actions={
          edits && (
            <DialogButton variant="primary" icon="plus" label="Add DNS writer">
              {(close) => <AddDialog onClose={close} />}
            </DialogButton>
          )
        }
      >
        They publish validation records by themselves, so that domains are validated again without anybody.
      </PageHeader>
      <Loaded query={query}>
        {(writers) => (
          <PlainTable title="Configured" rows={writers} rowKey={rowKey} columns={columns} empty="None yet: validation records are created by hand." />
        )}
      </Loaded>
    </>
  );
}
