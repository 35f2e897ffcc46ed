import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { patch, post } from "../../api/client";
import { asProblem } from "../../api/problem";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useToast } from "../../components/toasts";
import { Check, Select, TextArea, TextField } from "../../forms/fields";
import { ConsequencesPanel } from "./ConsequencesPanel";
import { draftOfScope, EMPTY_SCOPE, scopeBody, ScopeFields } from "./ScopeFields";
import type { Consequences, Freeze } from "./types";
import { OWN_TIME_ZONE, TIME_ZONES } from "./vocabulary";

const SHOWN = ["name", "starts", "time_zone", "organization_id", "department_id", "profile_id", "agent_id", "server_pattern"];

interface Times {
  name: string;
  starts: string;
  ends: string;
  time_zone: string;
  repeats_yearly: boolean;
  comment: string;
}

const NEW: Times = { name: "", starts: "", ends: "", time_zone: OWN_TIME_ZONE, repeats_yearly: false, comment: "" };

/** Saving takes two steps: first what the freeze would do, then, if nothing expires, the freeze. */
export function FreezeDialog({ freeze, onClose }: { freeze?: Freeze; onClose: () => void }) {
  const client = useQueryClient();
  const toast = useToast();
  const [times, setTimes] = useState<Times>(freeze ?? NEW);
  const [scope, setScope] = useState(freeze ? draftOfScope(freeze) : EMPTY_SCOPE);
  const [seen, setSeen] = useState<{ body: string; found: Consequences } | null>(null);

  const { name, starts, ends, time_zone, repeats_yearly, comment } = times;
  const body = { ...scopeBody(scope), name, starts, ends, time_zone, repeats_yearly, comment };
  const text = JSON.stringify(body);
  const shown = seen?.body === text ? seen.found : null;

  const preview = useMutation({
    mutationFn: () => post<Consequences>("/renewals/freezes/preview", { ...body, freeze_id: freeze?.id ?? null }),
    onSuccess: (found) => {
      setSeen({ body: text, found });
    },
  });
  const save = useMutation({
    mutationFn: () => (freeze ? patch(`/renewals/freezes/${freeze.id}`, body) : post("/renewals/freezes", body)),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["renewals"] });
      toast("Freeze saved");
      onClose();
    },
  });

  const set = (change: Partial<Times>) => {
    save.reset();
    setTimes({ ...times, ...change });
  };
  const error = save.error ?? preview.error;
  const problem = error ? asProblem(error) : null;
  const complete = name.trim() !== "" && starts !== "" && ends !== "";
  return (
    <Dialog title={freeze ? "Edit freeze" : "Add freeze"} onClose={onClose} wide>
      <form
        className="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (shown) save.mutate();
          else preview.mutate();
        }}
      >
        <div className="form-grid">
          <TextField label="Name" required wide value={name} onChange={(value) => { set({ name: value }); }} error={problem?.of("name")} />
          <TextField label="Starts" required type="datetime-local" value={starts} onChange={(value) => { set({ starts: value }); }} error={problem?.of("starts")} />
          <TextField label="Ends" required type="datetime-local" value={ends} onChange={(value) => { set({ ends: value }); }} error={problem?.status === 409 ? undefined : problem?.of("ends")} />
          <Select
            label="Time zone"
            options={TIME_ZONES.map((zone) => ({ value: zone, label: zone }))}
            value={time_zone}
            onChange={(value) => { set({ time_zone: value }); }}
            hint="The clocks of this place count."
            error={problem?.of("time_zone")}
          />
          <div className="field">
            <Check label="Every year" checked={repeats_yearly} onChange={(value) => { set({ repeats_yearly: value }); }} />
          </div>
          <ScopeFields draft={scope} onChange={(value) => { save.reset(); setScope(value); }} problem={problem} />
          <TextArea label="Comment" wide rows={2} value={comment} onChange={(value) => { set({ comment: value }); }} />
        </div>
        {shown && <ConsequencesPanel found={shown} />}
        <ProblemNotice error={error} shownFields={problem?.status === 409 ? SHOWN : [...SHOWN, "ends"]} />
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            variant="primary"
            busy={preview.isPending || save.isPending}
            disabled={!complete || (shown?.outages ?? 0) > 0}
          >
            {shown ? "Save freeze" : "Show consequences"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
