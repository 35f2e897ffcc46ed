import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { useAgents } from "../../api/choices";
import { put } from "../../api/client";
import { asProblem } from "../../api/problem";
import { useMay } from "../../api/session";
import type { Dcv } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { DialogButton } from "../../components/DialogButton";
import { Facts, Panel } from "../../components/Panel";
import { Time } from "../../components/Time";
import { Check, Select } from "../../forms/fields";
import { useMethods, useMethodWords, useWriters } from "./methods";

interface DialogProps {
  validation: Dcv;
  onClose: () => void;
}

const useRefresh = () => {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["dcv"] });
};

function RenewalDialog({ validation, onClose }: DialogProps) {
  const refresh = useRefresh();
  const methods = useMethods();
  const writers = useWriters();
  const [method, setMethod] = useState(validation.renewal_method ?? "");
  const [writer, setWriter] = useState(String(validation.writer_id ?? ""));
  const offered = (methods.data?.methods ?? []).filter((item) => item.repeatable || item.takes_writer);
  const takesWriter = offered.find((item) => item.name === method)?.takes_writer ?? false;
  return (
    <ActionDialog
      title="Renew by itself"
      confirm="Save"
      done="Saved"
      disabled={takesWriter && !writer}
      run={() =>
        put(`/dcv/${validation.id}/renewal`, {
          method: method || null,
          writer_id: takesWriter ? Number(writer) : null,
        }).then(refresh)
      }
      onClose={onClose}
      shownFields={["method", "writer_id"]}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <>
            <Select
              label="Method"
              empty="Not at all: somebody has to start it"
              value={method}
              onChange={setMethod}
              options={offered.map((item) => ({ value: item.name, label: item.display_name }))}
              error={problem?.of("method")}
            />
            {takesWriter && (
              <Select
                label="DNS writer"
                empty="Choose…"
                required
                value={writer}
                onChange={setWriter}
                options={(writers.data ?? []).map((item) => ({ value: String(item.id), label: item.name }))}
                error={problem?.of("writer_id")}
              />
            )}
          </>
        );
      }}
    </ActionDialog>
  );
}

function VantageDialog({ validation, onClose }: DialogProps) {
  const refresh = useRefresh();
  const agents = useAgents("network");
  const [chosen, setChosen] = useState<readonly string[]>(validation.vantage_agent_ids);
  return (
    <ActionDialog
      title="Vantage agents"
      confirm="Save"
      done="Saved"
      run={() => put(`/dcv/${validation.id}/vantage-points`, { agent_ids: chosen }).then(refresh)}
      onClose={onClose}
    >
      <p className="muted">
        These look too, from where they are; control counts as shown only if enough of them agree with the hub.
      </p>
      {(agents.data ?? []).map((agent) => (
        <Check
          key={agent.id}
          label={agent.name}
          hint={agent.connected ? agent.hostname : "not connected"}
          checked={chosen.includes(agent.id)}
          onChange={(checked) => {
            const kept = chosen.filter((id) => id !== agent.id);
            setChosen(checked ? [...kept, agent.id] : kept);
          }}
        />
      ))}
      {agents.data?.length === 0 && <p>There is no network agent yet.</p>}
    </ActionDialog>
  );
}

/** How it is renewed without a person, and who looks beside the hub. */
export function RenewalPanel({ validation }: { validation: Dcv }) {
  const may = useMay();
  const words = useMethodWords();
  const writers = useWriters();
  const agents = useAgents();
  const writer = writers.data?.find((item) => item.id === validation.writer_id)?.name;
  const names = validation.vantage_agent_ids.map(
    (id) => agents.data?.find((agent) => agent.id === id)?.name ?? `Agent ${id.slice(0, 8)}`,
  );
  return (
    <Panel
      title="Renewal and vantage points"
      actions={
        may("dcv.edit") && (
          <>
            <DialogButton small icon="renew" label="Renewal">
              {(close) => <RenewalDialog validation={validation} onClose={close} />}
            </DialogButton>
            <DialogButton small icon="agent" label="Vantage agents">
              {(close) => <VantageDialog validation={validation} onClose={close} />}
            </DialogButton>
          </>
        )
      }
    >
      <Facts
        items={[
          ["Renewed by", validation.renewal_method ? words(validation.renewal_method) : "Somebody who starts it"],
          ["DNS writer", writer],
          ["Next automatic", validation.next_revalidation_at && <Time value={validation.next_revalidation_at} />],
          ["Looked at by", ["This hub", ...names].join(", ")],
        ]}
      />
    </Panel>
  );
}
