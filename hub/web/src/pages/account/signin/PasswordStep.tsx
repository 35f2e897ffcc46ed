import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { byPassword, type SignInAnswer } from "../../../api/signIn";
import { Button } from "../../../components/Button";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { TextField } from "../../../forms/fields";

export function PasswordStep({ onAnswer }: { onAnswer: (answer: SignInAnswer) => void }) {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const attempt = useMutation({ mutationFn: () => byPassword(username, password), onSuccess: onAnswer });
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        attempt.mutate();
      }}
    >
      <TextField
        label="User name"
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        autoFocus
        required
        value={username}
        onChange={setUsername}
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={setPassword}
      />
      <ProblemNotice error={attempt.error} />
      <Button type="submit" variant="primary" busy={attempt.isPending} disabled={!username || !password}>
        Sign in
      </Button>
    </form>
  );
}
