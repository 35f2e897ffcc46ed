import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { asProblem } from "../../../api/problem";
import { newPassword, type SignInAnswer } from "../../../api/signIn";
import { Button } from "../../../components/Button";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { TextField } from "../../../forms/fields";

/** The password was given by somebody else and has to be replaced before anything else. */
export function NewPasswordStep({ onAnswer }: { onAnswer: (answer: SignInAnswer) => void }) {
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const attempt = useMutation({ mutationFn: () => newPassword(next), onSuccess: onAnswer });
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        attempt.mutate();
      }}
    >
      <p className="muted">Somebody else knows your present password. Choose one of your own.</p>
      <TextField
        label="New password"
        type="password"
        autoComplete="new-password"
        autoFocus
        required
        value={next}
        onChange={setNext}
        error={attempt.error ? asProblem(attempt.error).of("new_password") : undefined}
      />
      <TextField
        label="New password, again"
        type="password"
        autoComplete="new-password"
        required
        value={again}
        onChange={setAgain}
        error={again && again !== next ? "The two don't match." : undefined}
      />
      <ProblemNotice error={attempt.error} shownFields={["new_password"]} />
      <Button type="submit" variant="primary" busy={attempt.isPending} disabled={!next || next !== again}>
        Set password
      </Button>
    </form>
  );
}
