import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { signIn } from "../../api/session";
import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { ProblemNotice } from "../../components/ProblemNotice";
import { TextField } from "../../forms/fields";

export function SignInPage() {
  const client = useQueryClient();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const attempt = useMutation({ mutationFn: () => signIn(client, username, password) });

  useEffect(() => {
    document.title = "Sign in · Certwright";
  }, []);

  return (
    <main className="sign-in">
      <form
        className="sign-in-card form"
        onSubmit={(event) => {
          event.preventDefault();
          attempt.mutate();
        }}
      >
        <div className="sign-in-mark">
          <Icon name="logo" size={28} />
          Certwright
        </div>
        <h1>Sign in</h1>
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
    </main>
  );
}
