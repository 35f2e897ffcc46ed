import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { confirmTotp, enrolPasskey, enrolTotp } from "../../../api/signIn";
import type { SignInEnrolled } from "../../../api/types";
import { passkeysSupported } from "../../../api/webauthn";
import { Button } from "../../../components/Button";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { CodeField } from "../CodeField";
import { TotpSetup } from "../TotpSetup";

interface Props {
  passkeys: boolean;
  onEnrolled: (enrolled: SignInEnrolled) => void;
}

/** The role needs a second factor and there is none yet. */
export function EnrolmentStep({ passkeys, onEnrolled }: Props) {
  const [code, setCode] = useState("");
  const app = useMutation({ mutationFn: enrolTotp });
  const confirm = useMutation({ mutationFn: () => confirmTotp(code.trim()), onSuccess: onEnrolled });
  const passkey = useMutation({ mutationFn: () => enrolPasskey("First passkey"), onSuccess: onEnrolled });
  if (app.data) {
    return (
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          confirm.mutate();
        }}
      >
        <TotpSetup setup={app.data} />
        <CodeField value={code} onChange={setCode} autoFocus />
        <ProblemNotice error={confirm.error} />
        <Button type="submit" variant="primary" busy={confirm.isPending} disabled={!code.trim()}>
          Set up
        </Button>
      </form>
    );
  }
  return (
    <div className="form">
      <p className="muted">Your role needs a second factor. Set one up; from then on you are asked for it.</p>
      <Button
        icon="clock"
        variant="primary"
        busy={app.isPending}
        onClick={() => {
          app.mutate();
        }}
      >
        Authenticator app
      </Button>
      {passkeys && passkeysSupported() && (
        <Button
          icon="key"
          busy={passkey.isPending}
          onClick={() => {
            passkey.mutate();
          }}
        >
          Passkey
        </Button>
      )}
      <ProblemNotice error={app.error ?? passkey.error} />
    </div>
  );
}
