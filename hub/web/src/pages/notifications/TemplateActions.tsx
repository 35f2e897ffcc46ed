import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { apiUrl, post, put, remove } from "../../api/client";
import { asProblem } from "../../api/problem";
import { ActionDialog } from "../../components/ActionDialog";
import { Button } from "../../components/Button";
import { DialogButton } from "../../components/DialogButton";
import { useToast } from "../../components/toasts";
import { TextField } from "../../forms/fields";
import { ROOT } from "./queries";
import type { Tried } from "./types";

interface Words {
  subject: string;
  body: string;
}

/** The address of the words of an organization, or of all. */
const address = (type: string, place: string): string =>
  apiUrl(`/notifications/templates/${type}`, { organization_id: place }).replace(apiUrl(""), "");

export function SaveButton({ type, place, words }: { type: string; place: string; words: Words }) {
  const client = useQueryClient();
  const toast = useToast();
  const save = useMutation({
    mutationFn: () => put(address(type, place), words),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: [ROOT, "templates"] });
      toast("Saved");
    },
    onError: (error) => {
      toast(asProblem(error).message);
    },
  });
  return (
    <Button
      variant="primary"
      busy={save.isPending}
      onClick={() => {
        save.mutate();
      }}
    >
      Save
    </Button>
  );
}

export function ResetButton({ type, place, disabled }: { type: string; place: string; disabled: boolean }) {
  const client = useQueryClient();
  return (
    <DialogButton label="Reset" disabled={disabled}>
      {(close) => (
        <ActionDialog
          title="Reset template"
          confirm="Reset"
          danger
          done="The built-in words count again"
          run={async () => {
            await remove(address(type, place));
            await client.invalidateQueries({ queryKey: [ROOT, "templates"] });
          }}
          onClose={close}
        >
          <p>These words are forgotten, and the ones behind them count: those of all organizations, or the built-in ones.</p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

export function TestButton({ type, words, objectId }: { type: string; words: Words; objectId: string }) {
  const toast = useToast();
  const [to, setTo] = useState("");
  return (
    <DialogButton label="Send a test">
      {(close) => (
        <ActionDialog
          title="Send a test"
          confirm="Send"
          disabled={!to.trim()}
          run={async () => {
            const tried = await post<Tried>(`/notifications/templates/${type}/test`, { ...words, object_id: objectId || null, to: to.trim() });
            if (!tried.ok) throw new Error(tried.message);
            toast(`Sent: ${tried.message}`);
          }}
          onClose={close}
          shownFields={["to"]}
        >
          {(error) => <TextField label="To" type="email" required value={to} onChange={setTo} error={error ? asProblem(error).of("to") : undefined} />}
        </ActionDialog>
      )}
    </DialogButton>
  );
}
