import { useState } from "react";

import { post } from "../../api/client";
import { asProblem } from "../../api/problem";
import { ActionDialog } from "../../components/ActionDialog";
import { TextField } from "../../forms/fields";

const FIELDS = ["current_password", "new_password"];

export function PasswordDialog({ onClose }: { onClose: () => void }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const differs = again !== "" && again !== next;
  return (
    <ActionDialog
      title="Change password"
      confirm="Change password"
      disabled={!current || !next || again !== next}
      run={() => post("/session/password", { current_password: current, new_password: next })}
      done="Password changed; your other sessions have ended"
      onClose={onClose}
      shownFields={FIELDS}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <>
            <TextField
              label="Current password"
              type="password"
              autoComplete="current-password"
              required
              value={current}
              onChange={setCurrent}
              error={problem?.of("current_password")}
            />
            <TextField
              label="New password"
              type="password"
              autoComplete="new-password"
              required
              value={next}
              onChange={setNext}
              error={problem?.of("new_password")}
            />
            <TextField
              label="New password, again"
              type="password"
              autoComplete="new-password"
              required
              value={again}
              onChange={setAgain}
              error={differs ? "The two don't match." : undefined}
            />
          </>
        );
      }}
    </ActionDialog>
  );
}
