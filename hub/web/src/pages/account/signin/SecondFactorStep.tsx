import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { byCode, bySecondPasskey, type SignInAnswer } from "../../../api/signIn";
import { passkeysSupported } from "../../../api/webauthn";
import { Button } from "../../../components/Button";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { TextField } from "../../../forms/fields";
import { CodeField } from "../CodeField";

interface Props {
  factors: readonly string[];
  onAnswer: (answer: SignInAnswer) => void;
}

type Way = "totp" | "passkey" | "recovery_code";

const OTHERS: Readonly<Record<Way, string>> = {
  totp: "Use the authenticator app",
  passkey: "Use a passkey",
  recovery_code: "Use a recovery code",
};

function waysOf(factors: readonly string[]): readonly Way[] {
  const known: readonly Way[] = ["totp", "passkey", "recovery_code"];
  return known.filter((way) => factors.includes(way) && (way !== "passkey" || passkeysSupported()));
}

function CodeOf({ way, code, onChange }: { way: Way; code: string; onChange: (code: string) => void }) {
  if (way === "totp") {
    return <CodeField label="Code of your authenticator app" value={code} onChange={onChange} autoFocus />;
  }
  return (
    <TextField
      label="Recovery code"
      autoFocus
      autoComplete="off"
      value={code}
      onChange={onChange}
      hint="One of those that you kept; each works once."
    />
  );
}

/** A code of the app, a passkey, or a recovery code: one at a time of what this account has. */
export function SecondFactorStep({ factors, onAnswer }: Props) {
  const ways = waysOf(factors);
  const [way, setWay] = useState<Way | undefined>(ways[0]);
  const [code, setCode] = useState("");
  const attempt = useMutation({
    mutationFn: (send: () => Promise<SignInAnswer>) => send(),
    onSuccess: onAnswer,
    onError: () => {
      setCode("");
    },
  });
  if (!way) {
    return <p>This account has passkeys only, and this browser can't use them. Sign in with another browser.</p>;
  }
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        attempt.mutate(way === "passkey" ? bySecondPasskey : () => byCode(code.trim()));
      }}
    >
      <p className="muted">Your password is right. Now show that it is you.</p>
      {way !== "passkey" && <CodeOf key={way} way={way} code={code} onChange={setCode} />}
      <ProblemNotice error={attempt.error} />
      {way === "passkey" ? (
        <Button type="submit" variant="primary" icon="key" autoFocus busy={attempt.isPending}>
          Use a passkey
        </Button>
      ) : (
        <Button type="submit" variant="primary" busy={attempt.isPending} disabled={!code.trim()}>
          Continue
        </Button>
      )}
      {ways
        .filter((other) => other !== way)
        .map((other) => (
          <Button
            key={other}
            variant="link"
            onClick={() => {
              setWay(other);
              setCode("");
              attempt.reset();
            }}
          >
            {OTHERS[other]}
          </Button>
        ))}
    </form>
  );
}
