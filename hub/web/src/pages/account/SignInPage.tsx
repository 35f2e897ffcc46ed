import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { startSession } from "../../api/session";
import { cancelSignIn, claimProvider, isSession, type SignInAnswer, signInMethods } from "../../api/signIn";
import type { SignInEnrolled, SignInStep } from "../../api/types";
import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { ProblemNotice } from "../../components/ProblemNotice";
import { RecoveryCodes } from "./RecoveryCodes";
import { readAnswer } from "./signin/answer";
import { EnrolmentStep } from "./signin/EnrolmentStep";
import { NewPasswordStep } from "./signin/NewPasswordStep";
import { OtherWays } from "./signin/OtherWays";
import { PasswordStep } from "./signin/PasswordStep";
import { SecondFactorStep } from "./signin/SecondFactorStep";

const TITLES: Readonly<Record<SignInStep["step"], string>> = {
  second_factor: "Second factor",
  enrolment: "Set up a second factor",
  new_password: "New password",
};

/** What an identity provider answered is taken once, and taken out of the address. */
function useProviderAnswer(onAnswer: (answer: SignInAnswer) => void) {
  const [answer] = useState(() => readAnswer(location.hash));
  const claimed = useRef(false);
  const claim = useMutation({ mutationFn: claimProvider, onSuccess: onAnswer });
  const { mutate } = claim;
  useEffect(() => {
    if (claimed.current || location.pathname !== "/sign-in") return;
    claimed.current = true;
    if (location.hash) history.replaceState(history.state, "", location.pathname);
    if (answer.code) mutate(answer.code);
  }, [answer, mutate]);
  const expected = claim.isIdle && answer.code !== null && location.pathname === "/sign-in";
  return { error: claim.error ?? answer.problem, pending: expected || claim.isPending };
}

export function SignInPage() {
  const client = useQueryClient();
  const methods = useQuery({ queryKey: ["session", "methods"], queryFn: signInMethods, retry: false });
  const [step, setStep] = useState<SignInStep | null>(null);
  const [enrolled, setEnrolled] = useState<SignInEnrolled | null>(null);

  const advance = (answer: SignInAnswer) => {
    if (isSession(answer)) startSession(client, answer);
    else setStep(answer);
  };
  const provider = useProviderAnswer(advance);
  const asks = !step && !provider.pending;

  useEffect(() => {
    document.title = "Sign in · Certwright";
  }, []);

  const enrol = (answer: SignInEnrolled) => {
    if (answer.recovery_codes.length > 0) setEnrolled(answer);
    else advance(answer.next);
  };

  return (
    <main className="sign-in">
      <div className="sign-in-card form">
        <div className="sign-in-mark">
          <Icon name="logo" size={28} />
          Certwright
        </div>
        <h1>{enrolled ? "Recovery codes" : step ? TITLES[step.step] : "Sign in"}</h1>
        {enrolled ? (
          <RecoveryCodes
            codes={enrolled.recovery_codes}
            onDone={() => {
              setEnrolled(null);
              advance(enrolled.next);
            }}
          />
        ) : (
          <>
            {!step && <ProblemNotice error={provider.error} />}
            {!step && provider.pending && (
              <p className="muted" role="status">
                Signing you in…
              </p>
            )}
            {asks && <PasswordStep onAnswer={advance} />}
            {asks && methods.data && <OtherWays methods={methods.data} onAnswer={advance} />}
            {step?.step === "second_factor" && <SecondFactorStep factors={step.factors} onAnswer={advance} />}
            {step?.step === "new_password" && <NewPasswordStep onAnswer={advance} />}
            {step?.step === "enrolment" && (
              <EnrolmentStep passkeys={methods.data?.passkeys ?? false} onEnrolled={enrol} />
            )}
          </>
        )}
        {step && !enrolled && (
          <Button
            variant="link"
            onClick={() => {
              void cancelSignIn().catch(() => undefined);
              setStep(null);
            }}
          >
            Start again
          </Button>
        )}
      </div>
    </main>
  );
}
