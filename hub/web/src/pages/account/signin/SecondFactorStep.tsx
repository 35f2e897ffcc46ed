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

type Way = "totp" | "recovery";

/** A code of the app, a passkey, or a recovery code: whatever this account has. */
export function SecondFactorStep({ factors, onAnswer }: Props) {
  const hasApp = factors.includes("totp");
  const [way, setWay] = useState<Way>(hasApp ? "totp" : "recovery");
  const [code, setCode] = useState("");
  const attempt = useMutation({
    mutationFn: (send: () => Promise<SignInAnswer>) => send(),
    onSuccess: onAnswer,
    onError: () => {
      setCode("");
    },
  });
  const passkey = factors.includes("passkey") && passkeysSupported();
  const asksCode = hasApp || factors.includes("recovery_code");
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        attempt.mutate(() => byCode(code.trim()));
      }}
    >
      <p className="muted">Your password is right. Now show that it is you.</p>
      {passkey && (
        <Button
          icon="key"
          variant={hasApp ? "default" : "primary"}
          busy={attempt.isPending}
          onClick={() => {
            attempt.mutate(bySecondPasskey);
          }}
        >
          Use a passkey
        </Button>
      )}
      {asksCode && way === "totp" && (
        <CodeField label="Code of your authenticator app" value={code} onChange={setCode} autoFocus />
      )}
      {asksCode && way === "recovery" && (
        <TextField
          label="Recovery code"
          autoFocus={!passkey}
          autoComplete="off"
          value={code}
          onChange={setCode}
          hint="One of those that you kept; each works once."
        />
      )}
      <ProblemNotice error={attempt.error} />
      {asksCode && (
        <Button type="submit" variant="primary" busy={attempt.isPending} disabled={!code.trim()}>
          Continue
        </Button>
      )}
      {hasApp && (
        <Button
          variant="link"
          onClick={() => {
            setWay(way === "totp" ? "recovery" : "totp");
            setCode("");
            attempt.reset();
          }}
        >
          {way === "totp" ? "Use a recovery code" : "Use the authenticator app"}
        </Button>
      )}
    </form>
  );
}
