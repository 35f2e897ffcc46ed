import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { post } from "../../../api/client";
import { asProblem } from "../../../api/problem";
import { startSession } from "../../../api/session";
import type { Session } from "../../../api/types";
import { Button } from "../../../components/Button";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { CodeField } from "../../account/CodeField";
import { sentence } from "../vocabulary";

/** Private keys take more than a password: this error is answered by showing it. */
export const needsStepUp = (error: unknown): boolean =>
  error !== null && error !== undefined && asProblem(error).code === "stronger_sign_in_needed";

/** Shows a second factor or the client certificate in the session that there is. */
export function StepUp({ reason, onDone }: { reason: string; onDone: () => void }) {
  const client = useQueryClient();
  const [code, setCode] = useState("");
  const show = useMutation({
    mutationFn: (way: "code" | "certificate") => post<Session>(`/session/step-up/${way}`, way === "code" ? { code } : {}),
    onSuccess: (session) => {
      startSession(client, session);
      onDone();
    },
  });
  return (
    <div className="notice" data-tone="warn">
      <div className="form step-up">
        <p>
          <strong>Private keys take a stronger sign-in.</strong> {sentence(reason)}.
        </p>
        <CodeField label="Code of your authenticator app" value={code} onChange={setCode} autoFocus />
        <div className="row">
          <Button
            variant="primary"
            busy={show.isPending}
            disabled={code.trim() === ""}
            onClick={() => {
              show.mutate("code");
            }}
          >
            Confirm code
          </Button>
          <Button
            busy={show.isPending}
            onClick={() => {
              show.mutate("certificate");
            }}
          >
            Use my client certificate
          </Button>
        </div>
        <p className="small muted">A recovery code is not enough.</p>
        <Link to="/profile?tab=security">Set up an authenticator app</Link>
        <ProblemNotice error={show.error} />
      </div>
    </div>
  );
}
