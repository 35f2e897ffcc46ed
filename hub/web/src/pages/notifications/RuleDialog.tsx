import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { useProfiles } from "../../api/choices";
import { post, put } from "../../api/client";
import { asProblem, type Problem } from "../../api/problem";
import { ActionDialog } from "../../components/ActionDialog";
import { Loaded } from "../../components/Loaded";
import { Check, Field, Select, TextArea, TextField } from "../../forms/fields";
import { DepartmentPicker, OrganizationPicker } from "../../forms/pickers";
import { DigestFields } from "./DigestFields";
import { ROOT, useChannels, useTypes } from "./queries";
import { type Draft, bodyOf, draftOf } from "./ruleDraft";
import type { NotificationType, RuleRow } from "./types";
import { CERTIFICATE_TYPES, RECIPIENTS } from "./vocabulary";

const SHOWN = ["name", "type", "organization_id", "department_id", "days", "minutes", "recipients", "recipients.addresses", "channel_ids", "profile_ids", "digest.time_zone"];

interface PartProps {
  draft: Draft;
  set: (changes: Partial<Draft>) => void;
  problem: Problem | null;
}

interface ChoicesProps {
  label: string;
  options: readonly { value: string; label: string }[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
  hint?: string;
  error?: string | undefined;
}

function Choices({ label, options, chosen, onChange, hint, error }: ChoicesProps) {
  return (
    <Field label={label} wide hint={hint} error={error}>
      {() => (
        <div className="choices" role="group" aria-label={label}>
          {options.map((option) => (
            <Check
              key={option.value}
              label={option.label}
              checked={chosen.includes(option.value)}
              onChange={(checked) => {
                const kept = chosen.filter((value) => value !== option.value);
                onChange(checked ? [...kept, option.value] : kept);
              }}
            />
          ))}
        </div>
      )}
    </Field>
  );
}

function Scope({ draft, set, problem, kind }: PartProps & { kind: NotificationType | undefined }) {
  const profiles = useProfiles();
  const ofCertificates = kind?.object_type === "certificate";
  return (
    <>
      <OrganizationPicker
        empty="All organizations"
        value={draft.organization}
        onChange={(organization) => {
          set({ organization, department: "", channels: [] });
        }}
        error={problem?.of("organization_id")}
      />
      <DepartmentPicker
        organizationId={draft.organization}
        value={draft.department}
        onChange={(department) => {
          set({ department });
        }}
        error={problem?.of("department_id")}
      />
      {ofCertificates && (
        <Choices
          label="Certificate types"
          hint="None chosen: all."
          options={Object.entries(CERTIFICATE_TYPES).map(([value, label]) => ({ value, label }))}
          chosen={draft.certificateTypes}
          onChange={(certificateTypes) => {
            set({ certificateTypes });
          }}
        />
      )}
      {ofCertificates && (profiles.data?.length ?? 0) > 0 && (
        <Choices
          label="Certificate profiles"
          hint="None chosen: all."
          options={(profiles.data ?? []).map((item) => ({ value: String(item.id), label: item.name }))}
          chosen={draft.profiles}
          onChange={(chosen) => {
            set({ profiles: chosen });
          }}
          error={problem?.of("profile_ids")}
        />
      )}
    </>
  );
}

function Receivers({ draft, set, problem, kind }: PartProps & { kind: NotificationType | undefined }) {
  const channels = useChannels();
  const fitting = (channels.data ?? []).filter((item) => String(item.organization_id ?? "") === draft.organization);
  return (
    <>
      <Choices
        label="Recipients"
        options={(kind?.recipients ?? []).map((value) => ({ value, label: RECIPIENTS[value] ?? value }))}
        chosen={draft.people}
        onChange={(people) => {
          set({ people });
        }}
        error={problem?.of("recipients")}
      />
      <TextArea
        label="Further addresses"
        wide
        rows={2}
        value={draft.addresses}
        onChange={(addresses) => {
          set({ addresses });
        }}
        hint="E-mail addresses, with commas or line ends between."
        error={problem?.of("recipients.addresses")}
      />
      <Choices
        label="Ways"
        options={[
          { value: "email", label: "E-mail" },
          { value: "console", label: "Notices in the console" },
          ...fitting.map((item) => ({ value: String(item.id), label: item.name })),
        ]}
        chosen={[...(draft.email ? ["email"] : []), ...(draft.console ? ["console"] : []), ...draft.channels]}
        onChange={(chosen) => {
          const rest = chosen.filter((value) => value !== "email" && value !== "console");
          set({ email: chosen.includes("email"), console: chosen.includes("console"), channels: rest });
        }}
        error={problem?.of("channel_ids") ?? problem?.of("email")}
      />
    </>
  );
}

function Times({ draft, set, problem, kind }: PartProps & { kind: NotificationType | undefined }) {
  return (
    <>
      {kind?.timing === "before" && (
        <TextField
          label="Days before"
          value={draft.days}
          onChange={(days) => {
            set({ days });
          }}
          placeholder={kind.days.join(", ")}
          hint="Told once for each, until it is renewed."
          error={problem?.of("days")}
        />
      )}
      {kind?.timing === "after" && (
        <TextField
          label="After minutes"
          type="number"
          min={0}
          value={draft.minutes}
          onChange={(minutes) => {
            set({ minutes });
          }}
          placeholder="15"
          error={problem?.of("minutes")}
        />
      )}
      <DigestFields digest={draft.digest} onChange={(digest) => { set({ digest }); }} problem={problem} />
    </>
  );
}

function Form({ rule, types, onClose }: { rule: RuleRow | undefined; types: readonly NotificationType[]; onClose: () => void }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(rule));
  const set = (changes: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...changes }));
  };
  const kind = types.find((item) => item.name === draft.type);
  return (
    <ActionDialog
      title={rule ? "Edit notification rule" : "Add notification rule"}
      confirm={rule ? "Save" : "Add rule"}
      done={rule ? "Saved" : "Rule added"}
      wide
      disabled={!draft.name.trim() || !draft.type}
      run={async () => {
        const body = bodyOf(draft, kind);
        await (rule ? put(`/notifications/rules/${rule.id}`, body) : post("/notifications/rules", body));
        await client.invalidateQueries({ queryKey: [ROOT] });
      }}
      onClose={onClose}
      shownFields={SHOWN}
    >
      {(error) => {
        const part: PartProps = { draft, set, problem: error ? asProblem(error) : null };
        return (
          <div className="form-grid">
            <TextField label="Name" required value={draft.name} onChange={(name) => { set({ name }); }} error={part.problem?.of("name")} />
            <Select
              label="Notification type"
              required
              empty="Choose…"
              value={draft.type}
              onChange={(type) => {
                set({ type, people: [], days: "", minutes: "" });
              }}
              options={types.map((item) => ({ value: item.name, label: item.title }))}
              error={part.problem?.of("type")}
            />
            <Scope {...part} kind={kind} />
            {kind && <Receivers {...part} kind={kind} />}
            {kind && <Times {...part} kind={kind} />}
            <Check label="Active" checked={draft.enabled} onChange={(enabled) => { set({ enabled }); }} />
          </div>
        );
      }}
    </ActionDialog>
  );
}

export function RuleDialog({ rule, onClose }: { rule?: RuleRow; onClose: () => void }) {
  const query = useTypes();
  return <Loaded query={query}>{(list) => <Form rule={rule} types={list.types} onClose={onClose} />}</Loaded>;
}
