import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { patch, remove } from "../../api/client";
import { useMay } from "../../api/session";
import type { Agent } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Button } from "../../components/Button";
import { TextField } from "../../forms/fields";

interface DialogProps {
  agent: Agent;
  onClose: () => void;
}

function RenameDialog({ agent, onClose }: DialogProps) {
  const client = useQueryClient();
  const [name, setName] = useState(agent.name);
  return (
    <ActionDialog
      title="Rename agent"
      confirm="Rename"
      disabled={!name.trim()}
      run={async () => {
        await patch(`/agents/${agent.id}`, { name });
        await client.invalidateQueries({ queryKey: ["agents"] });
      }}
      done="Renamed"
      onClose={onClose}
    >
      <TextField label="Name" value={name} onChange={setName} required />
    </ActionDialog>
  );
}

function RemoveDialog({ agent, onClose }: DialogProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <ActionDialog
      title="Remove agent"
      confirm="Remove agent"
      danger
      run={async () => {
        await remove(`/agents/${agent.id}`);
        await client.invalidateQueries({ queryKey: ["agents"] });
        await navigate("/agents");
      }}
      done="Agent removed"
      onClose={onClose}
    >
      <p>
        <strong>{agent.name}</strong> is cut off at once and can&rsquo;t come back without a new enrollment token. Its
        open commands fail. Keys that it holds stay on its host.
      </p>
    </ActionDialog>
  );
}

export function AgentActions({ agent }: { agent: Agent }) {
  const may = useMay();
  const [asking, setAsking] = useState<"rename" | "remove" | null>(null);
  if (agent.status === "removed") return null;
  const close = () => {
    setAsking(null);
  };
  return (
    <>
      {may("agents.edit") && (
        <Button
          icon="edit"
          onClick={() => {
            setAsking("rename");
          }}
        >
          Rename
        </Button>
      )}
      {may("agents.remove") && (
        <Button
          icon="trash"
          variant="danger"
          onClick={() => {
            setAsking("remove");
          }}
        >
          Remove
        </Button>
      )}
      {asking === "rename" && <RenameDialog agent={agent} onClose={close} />}
      {asking === "remove" && <RemoveDialog agent={agent} onClose={close} />}
    </>
  );
}
