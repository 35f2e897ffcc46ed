import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { patch, post } from "../../api/client";
import { asProblem, type Problem } from "../../api/problem";
import type { Task } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { TextArea, TextField } from "../../forms/fields";
import { AgentPicker, OrganizationPicker } from "../../forms/pickers";
import { parseRanges, rangesText } from "./ranges";

const SHOWN = ["name", "agent_id", "organization_id", "ranges", "exclusions"];

/** A message about one range, such as `ranges.2.target`, names its line. */
function rangesError(problem: Problem | null): string | undefined {
  const found = problem?.errors.filter((error) => /(^|\.)ranges(\.|$)/.test(error.field)) ?? [];
  const words = found.map((error) => {
    const line = /ranges\.(\d+)/.exec(error.field)?.[1];
    return line === undefined ? error.message : `Line ${Number(line) + 1}: ${error.message}`;
  });
  return words.length > 0 ? words.join(" ") : undefined;
}

const lines = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

export function TaskDialog({ task, onClose }: { task?: Task; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(task?.name ?? "");
  const [agent, setAgent] = useState(task?.agent_id ?? "");
  const [organization, setOrganization] = useState(String(task?.organization_id ?? ""));
  const [ranges, setRanges] = useState(rangesText(task?.ranges ?? []));
  const [exclusions, setExclusions] = useState((task?.exclusions ?? []).join("\n"));

  const run = async () => {
    const fields = { name, agent_id: agent, ranges: parseRanges(ranges), exclusions: lines(exclusions) };
    const saved = task
      ? await patch<Task>(`/discovery/tasks/${task.id}`, fields)
      : await post<Task>("/discovery/tasks", {
          ...fields,
          organization_id: organization ? Number(organization) : null,
        });
    await client.invalidateQueries({ queryKey: ["discovery"] });
    if (!task) await navigate(`/discovery/tasks/${saved.id}`);
  };

  return (
    <ActionDialog
      title={task ? "Edit discovery task" : "Add discovery task"}
      confirm={task ? "Save" : "Add task"}
      wide
      disabled={!name.trim() || !agent || !ranges.trim()}
      run={run}
      done={task ? "Saved" : "Task added"}
      onClose={onClose}
      shownFields={SHOWN}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <div className="form-grid">
            <TextField label="Name" required value={name} onChange={setName} error={problem?.of("name")} />
            <AgentPicker kind="network" required value={agent} onChange={setAgent} error={problem?.of("agent_id")} />
            {!task && (
              <OrganizationPicker
                empty="That of the agent"
                value={organization}
                onChange={setOrganization}
                hint="Who owns what is found."
                error={problem?.of("organization_id")}
              />
            )}
            <TextArea
              label="Ranges to scan"
              required
              wide
              rows={7}
              spellCheck={false}
              className="input mono"
              value={ranges}
              onChange={setRanges}
              placeholder={"10.10.10.0/24 443, 8443\n10.11.6.9-10.11.6.40\nwww.example.com 443, 9000-9010"}
              hint="One a line: a CIDR, an address, a range or a host name, then its ports. Without ports, 443."
              error={rangesError(problem)}
            />
            <TextArea
              label="Leave out"
              wide
              rows={2}
              spellCheck={false}
              value={exclusions}
              onChange={setExclusions}
              hint="CIDRs, addresses or ranges that are never connected to."
              error={problem?.of("exclusions")}
            />
          </div>
        );
      }}
    </ActionDialog>
  );
}
