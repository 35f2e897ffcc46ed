import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { post } from "../../api/client";
import { useMay } from "../../api/session";
import type { Command } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Button } from "../../components/Button";
import { commandWords, OPEN_STATES } from "./vocabulary";

const CANCELLABLE = ["queued", "dispatched", "accepted"];

export function CommandActions({ command }: { command: Command }) {
  const may = useMay();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState<"cancel" | "retry" | null>(null);
  if (!may("commands.edit")) return null;
  const close = () => {
    setAsking(null);
  };
  const cancel = async () => {
    await post(`/commands/${command.id}/cancel`);
    await client.invalidateQueries({ queryKey: ["commands"] });
  };
  const retry = async () => {
    const { command_id } = await post<{ command_id: string }>(`/commands/${command.id}/retry`);
    await client.invalidateQueries({ queryKey: ["commands"] });
    await navigate(`/commands/${command_id}`);
  };
  const mayRetry = !OPEN_STATES.includes(command.state) && command.state !== "successful";
  return (
    <>
      {CANCELLABLE.includes(command.state) && (
        <Button
          icon="stop"
          variant="danger"
          onClick={() => {
            setAsking("cancel");
          }}
        >
          Cancel command
        </Button>
      )}
      {mayRetry && (
        <Button
          icon="renew"
          onClick={() => {
            setAsking("retry");
          }}
        >
          Try again
        </Button>
      )}
      {asking === "cancel" && (
        <ActionDialog title="Cancel command" confirm="Cancel command" danger run={cancel} done="Canceling" onClose={close}>
          <p>
            {commandWords(command.kind)} is given up. What the agent has already done is not undone unless the command
            says so itself.
          </p>
        </ActionDialog>
      )}
      {asking === "retry" && (
        <ActionDialog title="Try again" confirm="Try again" run={retry} done="Queued once more" onClose={close}>
          <p>The same command is sent to {command.agent_name} once more.</p>
        </ActionDialog>
      )}
    </>
  );
}
