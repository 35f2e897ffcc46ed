import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { ProblemNotice } from "./ProblemNotice";
import { useToast } from "./toasts";

interface Props {
  title: string;
  confirm: string;
  danger?: boolean;
  disabled?: boolean;
  wide?: boolean;
  run: () => Promise<unknown>;
  /** What the toast says when it is done. */
  done?: string;
  onClose: () => void;
  shownFields?: readonly string[];
  children: ReactNode | ((error: unknown) => ReactNode);
}

/** Asks before an action, runs it, and stays open with the problem if it fails. */
export function ActionDialog({ title, confirm, danger, disabled, wide, run, done, onClose, ...rest }: Props) {
  const toast = useToast();
  const action = useMutation({
    mutationFn: run,
    onSuccess: () => {
      if (done) toast(done);
      onClose();
    },
  });
  const { children, shownFields = [] } = rest;
  return (
    <Dialog title={title} onClose={onClose} wide={wide ?? false}>
      <form
        className="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          action.mutate();
        }}
      >
        {typeof children === "function" ? children(action.error) : children}
        <ProblemNotice error={action.error} shownFields={shownFields} />
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            variant={danger ? "danger-primary" : "primary"}
            busy={action.isPending}
            disabled={disabled ?? false}
          >
            {confirm}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
