import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { asProblem } from "../../api/problem";
import { Button } from "../../components/Button";
import { Panel } from "../../components/Panel";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Check, Select, TextField } from "../../forms/fields";
import { type AdministratorDraft, defaultPrivileges, isReady, TYPE_WORDS } from "./administratorDraft";
import { CONTACT_FIELDS } from "./contact";
import { GrantsEditor } from "./GrantsEditor";
import { PrivilegesEditor, usePrivileges } from "./PrivilegesEditor";

interface Props {
  initial: AdministratorDraft;
  isNew: boolean;
  back: string;
  save: (draft: AdministratorDraft) => Promise<unknown>;
}

type Change = (changes: Partial<AdministratorDraft>) => void;

interface PartProps {
  draft: AdministratorDraft;
  change: Change;
  isNew: boolean;
  errorOf: (field: string) => string | undefined;
}

const SHOWN = ["username", "name", "email", "password", ...CONTACT_FIELDS.map((field) => field.name)];

function AccountPart({ draft, change, isNew, errorOf }: PartProps) {
  const text = (name: "username" | "name" | "email" | "password") => ({
    value: draft[name],
    onChange: (value: string) => {
      change({ [name]: value });
    },
    error: errorOf(name),
  });
  return (
    <div className="form-grid">
      <TextField label="User name" required autoComplete="off" disabled={!isNew} {...text("username")} />
      <TextField label="Name" required {...text("name")} />
      <TextField label="E-mail" type="email" {...text("email")} />
      <Select
        label="Type"
        disabled={!isNew}
        value={draft.type}
        onChange={(type) => {
          change({ type });
        }}
        options={Object.entries(TYPE_WORDS).map(([value, label]) => ({ value, label }))}
      />
      {isNew && draft.type === "standard" && (
        <TextField label="First password" type="password" autoComplete="new-password" required {...text("password")} />
      )}
      {draft.type === "standard" && (
        <div className="wide">
          <Check
            label="Has to change the password at the next sign-in"
            checked={draft.mustChange}
            onChange={(mustChange) => {
              change({ mustChange });
            }}
          />
        </div>
      )}
    </div>
  );
}

function ContactPart({ draft, change, errorOf }: PartProps) {
  return (
    <div className="form-grid">
      {CONTACT_FIELDS.map(({ name, label, hint }) => (
        <TextField
          key={name}
          label={label}
          hint={hint}
          value={draft.contact[name]}
          onChange={(value) => {
            change({ contact: { ...draft.contact, [name]: value } });
          }}
          error={errorOf(name)}
        />
      ))}
    </div>
  );
}

export function AdministratorForm({ initial, isNew, back, save }: Props) {
  const navigate = useNavigate();
  const [draft, setDraft] = useState(initial);
  const privileges = usePrivileges();
  const saving = useMutation({ mutationFn: () => save(draft) });
  const problem = saving.error ? asProblem(saving.error) : null;
  const change: Change = (changes) => {
    setDraft({ ...draft, ...changes });
  };
  const part = { draft, change, isNew, errorOf: (field: string) => problem?.of(field) };
  const chosen = draft.privileges ?? defaultPrivileges(privileges.data ?? [], draft.grants);
  return (
    <form
      className="form form-page"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        saving.mutate();
      }}
    >
      <Panel title="Account">
        <AccountPart {...part} />
      </Panel>
      <Panel title="Roles" foot="An administrator may have several; each holds for its place and types only.">
        <GrantsEditor
          grants={draft.grants}
          onChange={(grants) => {
            change({ grants });
          }}
        />
      </Panel>
      <Panel title="Privileges" foot="You can give only what you have yourself.">
        <PrivilegesEditor
          roles={draft.grants.map((grant) => grant.role)}
          chosen={chosen}
          onChange={(next) => {
            change({ privileges: next });
          }}
        />
      </Panel>
      <Panel title="Contact">
        <ContactPart {...part} />
      </Panel>
      <ProblemNotice error={saving.error} shownFields={SHOWN} />
      <div className="form-actions">
        <Button onClick={() => void navigate(back)}>Cancel</Button>
        <Button type="submit" variant="primary" busy={saving.isPending} disabled={!isReady(draft, isNew)}>
          {isNew ? "Add administrator" : "Save"}
        </Button>
      </div>
    </form>
  );
}
