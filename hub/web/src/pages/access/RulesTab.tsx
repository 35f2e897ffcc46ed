import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { get, put } from "../../api/client";
import { asProblem } from "../../api/problem";
import { useMay } from "../../api/session";
import type { AccessRule } from "../../api/types";
import { Button } from "../../components/Button";
import { Loaded } from "../../components/Loaded";
import { Panel } from "../../components/Panel";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useToast } from "../../components/toasts";
import { Select, TextField } from "../../forms/fields";

const AUDIENCES = [
  { value: "all", label: "Everybody" },
  { value: "mrao", label: "MRAOs" },
  { value: "rao_drao", label: "RAOs and DRAOs" },
];

const NEW: AccessRule = { applies_to: "all", network: "", note: "" };

interface EditorProps {
  initial: readonly AccessRule[];
  locked: boolean;
}

function Editor({ initial, locked }: EditorProps) {
  const client = useQueryClient();
  const toast = useToast();
  const [rules, setRules] = useState(initial);
  const save = useMutation({
    mutationFn: () => put("/access-rules", { rules }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["access"] });
      toast("Access rules saved");
    },
  });
  const problem = save.error ? asProblem(save.error) : null;
  const change = (at: number, changes: Partial<AccessRule>) => {
    setRules(rules.map((rule, index) => (index === at ? { ...rule, ...changes } : rule)));
  };
  return (
    <form
      className="form form-page"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Panel
        title="Networks from which administrators may come"
        foot="Whom no rule concerns may come from anywhere. Your own address must stay allowed, or saving is refused."
      >
        <div className="stack-s">
          {rules.map((rule, index) => (
            // Rules have no identity; their place in the list is it.
            <div key={index} className="rule" role="group" aria-label={`Rule ${index + 1}`}>
              <Select
                label="For"
                value={rule.applies_to}
                options={AUDIENCES}
                disabled={locked}
                onChange={(value) => {
                  change(index, { applies_to: value as AccessRule["applies_to"] });
                }}
              />
              <TextField
                label="Network"
                required
                placeholder="192.0.2.0/24"
                value={rule.network}
                disabled={locked}
                onChange={(network) => {
                  change(index, { network });
                }}
                error={problem?.of(`rules.${index}.network`)}
              />
              <TextField
                label="Note"
                value={rule.note}
                disabled={locked}
                onChange={(note) => {
                  change(index, { note });
                }}
              />
              <Button
                icon="trash"
                variant="quiet"
                aria-label={`Remove rule ${index + 1}`}
                disabled={locked}
                onClick={() => {
                  setRules(rules.filter((_, at) => at !== index));
                }}
              />
            </div>
          ))}
          {rules.length === 0 && <p className="muted">No rules: administrators may come from anywhere.</p>}
          {!locked && (
            <div className="row">
              <Button
                small
                icon="plus"
                onClick={() => {
                  setRules([...rules, NEW]);
                }}
              >
                Add rule
              </Button>
            </div>
          )}
        </div>
      </Panel>
      <ProblemNotice error={save.error} />
      {!locked && (
        <div className="form-actions">
          <Button type="submit" variant="primary" busy={save.isPending} disabled={rules.some((rule) => !rule.network.trim())}>
            Save rules
          </Button>
        </div>
      )}
    </form>
  );
}

export function RulesTab() {
  const may = useMay();
  const query = useQuery({
    queryKey: ["access", "rules"],
    queryFn: ({ signal }) => get<{ rules: AccessRule[] }>("/access-rules", {}, signal),
  });
  return (
    <Loaded query={query}>
      {({ rules }) => <Editor key={JSON.stringify(rules)} initial={rules} locked={!may("access_rules.edit")} />}
    </Loaded>
  );
}
