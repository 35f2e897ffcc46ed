import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { patch } from "../../../api/client";
import { asProblem } from "../../../api/problem";
import type { OwnProfile } from "../../../api/types";
import { Button } from "../../../components/Button";
import { Facts, Panel } from "../../../components/Panel";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { Time } from "../../../components/Time";
import { useToast } from "../../../components/toasts";
import { TextField } from "../../../forms/fields";
import { GrantList } from "../../administration/GrantList";
import { type ContactFields, CONTACT_FIELDS, contactOf } from "../../administration/contact";

/** What administrators may change of themselves; roles and privileges are for others to change. */
export function DetailsTab({ profile }: { profile: OwnProfile }) {
  const client = useQueryClient();
  const toast = useToast();
  const [fields, setFields] = useState<ContactFields>(() => contactOf(profile));
  const save = useMutation({
    mutationFn: () => patch<OwnProfile>("/profile", fields),
    onSuccess: (saved) => {
      client.setQueryData(["profile", "own"], saved);
      toast("Saved");
    },
  });
  const problem = save.error ? asProblem(save.error) : null;
  return (
    <div className="columns">
      <Panel title="Contact">
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate();
          }}
        >
          <div className="form-grid">
            {CONTACT_FIELDS.map(({ name, label, hint }) => (
              <TextField
                key={name}
                label={label}
                hint={hint}
                value={fields[name]}
                onChange={(value) => {
                  setFields({ ...fields, [name]: value });
                }}
                error={problem?.of(name)}
              />
            ))}
          </div>
          <ProblemNotice error={save.error} shownFields={CONTACT_FIELDS.map((field) => field.name)} />
          <div className="form-actions">
            <Button type="submit" variant="primary" busy={save.isPending}>
              Save
            </Button>
          </div>
        </form>
      </Panel>
      <div className="stack">
        <Panel title="Account" foot="Name, e-mail, roles and privileges are changed by another administrator.">
          <Facts
            items={[
              ["User name", profile.username],
              ["Name", profile.name],
              ["E-mail", profile.email],
              ["Last sign-in", <Time key="last" value={profile.last_login_at} />],
            ]}
          />
        </Panel>
        <Panel title="Roles">
          <GrantList grants={profile.grants} />
        </Panel>
      </div>
    </div>
  );
}
