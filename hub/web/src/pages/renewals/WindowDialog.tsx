import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { patch, post } from "../../api/client";
import { asProblem } from "../../api/problem";
import { ActionDialog } from "../../components/ActionDialog";
import { Check, Select, TextArea, TextField } from "../../forms/fields";
import { draftOfScope, EMPTY_SCOPE, scopeBody, ScopeFields } from "./ScopeFields";
import type { Window } from "./types";
import { OWN_TIME_ZONE, TIME_ZONES, WEEKDAYS } from "./vocabulary";

const SHOWN = ["name", "weekdays", "opens", "closes", "time_zone", "organization_id", "department_id", "profile_id", "agent_id", "server_pattern"];

export function WindowDialog({ window, onClose }: { window?: Window; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(window?.name ?? "");
  const [weekdays, setWeekdays] = useState<number[]>(window?.weekdays ?? [5, 6]);
  const [opens, setOpens] = useState(window?.opens ?? "22:00");
  const [closes, setCloses] = useState(window?.closes.replace("24:00", "00:00") ?? "04:00");
  const [zone, setZone] = useState(window?.time_zone ?? OWN_TIME_ZONE);
  const [comment, setComment] = useState(window?.comment ?? "");
  const [scope, setScope] = useState(window ? draftOfScope(window) : EMPTY_SCOPE);

  const run = async () => {
    const body = {
      ...scopeBody(scope),
      name,
      weekdays: [...weekdays].sort(),
      opens,
      closes: closes === "00:00" ? "24:00" : closes,
      time_zone: zone,
      comment,
    };
    await (window ? patch(`/renewals/windows/${window.id}`, body) : post("/renewals/windows", body));
    await client.invalidateQueries({ queryKey: ["renewals"] });
  };

  return (
    <ActionDialog
      title={window ? "Edit maintenance window" : "Add maintenance window"}
      confirm={window ? "Save" : "Add window"}
      wide
      disabled={!name.trim() || weekdays.length === 0}
      run={run}
      done="Maintenance window saved"
      onClose={onClose}
      shownFields={SHOWN}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <div className="form-grid">
            <TextField label="Name" required wide value={name} onChange={setName} error={problem?.of("name")} />
            <fieldset className="wide weekdays">
              <legend className="field-label">Opens on</legend>
              {WEEKDAYS.map((label, day) => (
                <Check
                  key={label}
                  label={label}
                  checked={weekdays.includes(day)}
                  onChange={(checked) => {
                    setWeekdays(checked ? [...weekdays, day] : weekdays.filter((item) => item !== day));
                  }}
                />
              ))}
            </fieldset>
            <TextField label="From" type="time" required value={opens} onChange={setOpens} error={problem?.of("opens")} />
            <TextField
              label="Until"
              type="time"
              required
              value={closes}
              onChange={setCloses}
              hint="Not after the beginning: on the next day."
              error={problem?.of("closes")}
            />
            <Select
              label="Time zone"
              options={TIME_ZONES.map((item) => ({ value: item, label: item }))}
              value={zone}
              onChange={setZone}
              wide
              error={problem?.of("time_zone")}
            />
            <ScopeFields draft={scope} onChange={setScope} problem={problem} />
            <TextArea label="Comment" wide rows={2} value={comment} onChange={setComment} />
          </div>
        );
      }}
    </ActionDialog>
  );
}
