import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { post } from "../../../api/client";
import type { Factors, TotpSetup as Setup } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { Badge } from "../../../components/Badge";
import { Button } from "../../../components/Button";
import { Panel } from "../../../components/Panel";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { CodeField } from "../CodeField";
import { TotpSetup } from "../TotpSetup";

interface Props {
  factors: Factors;
  onCodes: (codes: readonly string[]) => void;
}

function SetUpDialog({ setup, onCodes, onClose }: { setup: Setup; onCodes: Props["onCodes"]; onClose: () => void }) {
  const client = useQueryClient();
  const [code, setCode] = useState("");
  return (
    <ActionDialog
      title="Set up an authenticator app"
      confirm="Set up"
      done="The authenticator app is set up"
      disabled={!code.trim()}
      run={async () => {
        const answer = await post<{ recovery_codes: string[] }>("/profile/totp/confirm", { code: code.trim() });
        await client.invalidateQueries({ queryKey: ["profile"] });
        onCodes(answer.recovery_codes);
      }}
      onClose={onClose}
    >
      <TotpSetup setup={setup} />
      <CodeField value={code} onChange={setCode} />
    </ActionDialog>
  );
}

function RemoveDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [code, setCode] = useState("");
  return (
    <ActionDialog
      title="Remove the authenticator app"
      confirm="Remove"
      danger
      done="Removed"
      disabled={!code.trim()}
      run={async () => {
        await post("/profile/totp/remove", { code: code.trim() });
        await client.invalidateQueries({ queryKey: ["profile"] });
      }}
      onClose={onClose}
    >
      <p>Enter one of its codes, or a recovery code.</p>
      <CodeField value={code} onChange={setCode} />
    </ActionDialog>
  );
}

export function AppPanel({ factors, onCodes }: Props) {
  const [removing, setRemoving] = useState(false);
  const begin = useMutation({ mutationFn: () => post<Setup>("/profile/totp") });
  const present = factors.factors.includes("totp");
  return (
    <Panel
      title="Authenticator app"
      actions={
        present ? (
          <Button
            small
            icon="trash"
            onClick={() => {
              setRemoving(true);
            }}
          >
            Remove
          </Button>
        ) : (
          <Button
            small
            icon="plus"
            busy={begin.isPending}
            onClick={() => {
              begin.mutate();
            }}
          >
            Set up
          </Button>
        )
      }
    >
      <div className="stack-s">
        <div>{present ? <Badge tone="ok">Set up</Badge> : <Badge tone="idle">Not set up</Badge>}</div>
        <p className="muted">
          Asks for a code that changes every 30 seconds, after your password.
          {factors.required && " Your role needs a second factor."}
        </p>
        <ProblemNotice error={begin.error} />
      </div>
      {begin.data && !present && (
        <SetUpDialog
          setup={begin.data}
          onCodes={onCodes}
          onClose={() => {
            begin.reset();
          }}
        />
      )}
      {removing && (
        <RemoveDialog
          onClose={() => {
            setRemoving(false);
          }}
        />
      )}
    </Panel>
  );
}
