import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { post, remove } from "../../api/client";
import { asProblem } from "../../api/problem";
import { useMay } from "../../api/session";
import type { Task } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Button } from "../../components/Button";
import { useToast } from "../../components/toasts";
import { TaskDialog } from "./TaskDialog";
import { isRunning } from "./vocabulary";

export function TaskActions({ task }: { task: Task }) {
  const may = useMay();
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const [asking, setAsking] = useState<"edit" | "delete" | null>(null);
  const running = isRunning(task.status);
  const run = useMutation({
    mutationFn: (action: "scan" | "cancel") => post(`/discovery/tasks/${task.id}/${action}`),
    onSuccess: (_, action) => {
      toast(action === "scan" ? "Scan started" : "The agent was asked to stop");
      return client.invalidateQueries({ queryKey: ["discovery"] });
    },
    onError: (error) => {
      toast(asProblem(error).detail || asProblem(error).title, "bad");
    },
  });
  const close = () => {
    setAsking(null);
  };
  return (
    <>
      {may("discovery.run") && (
        <Button
          variant={running ? "default" : "primary"}
          icon={running ? "stop" : "play"}
          busy={run.isPending}
          disabled={task.status === "Canceling"}
          onClick={() => {
            run.mutate(running ? "cancel" : "scan");
          }}
        >
          {running ? "Cancel scan" : "Scan"}
        </Button>
      )}
      {may("discovery.edit") && (
        <>
          <Button
            icon="edit"
            onClick={() => {
              setAsking("edit");
            }}
          >
            Edit
          </Button>
          <Button
            icon="trash"
            variant="danger"
            onClick={() => {
              setAsking("delete");
            }}
          >
            Delete
          </Button>
        </>
      )}
      {asking === "edit" && <TaskDialog task={task} onClose={close} />}
      {asking === "delete" && (
        <ActionDialog
          title="Delete discovery task"
          confirm="Delete task"
          danger
          run={async () => {
            await remove(`/discovery/tasks/${task.id}`);
            await client.invalidateQueries({ queryKey: ["discovery"] });
            await navigate("/discovery/tasks");
          }}
          done="Task deleted"
          onClose={close}
        >
          <p>
            <strong>{task.name}</strong> is deleted with its settings. The certificates and endpoints that it found
            stay.
          </p>
        </ActionDialog>
      )}
    </>
  );
}
