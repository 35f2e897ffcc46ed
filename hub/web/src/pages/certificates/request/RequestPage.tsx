import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { useProfiles } from "../../../api/choices";
import { post } from "../../../api/client";
import { asProblem } from "../../../api/problem";
import type { Enrolled } from "../../../api/types";
import { Button, LinkButton } from "../../../components/Button";
import { PageHeader } from "../../../components/PageHeader";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { useToast } from "../../../components/toasts";
import { type Draft, EMPTY_DRAFT, toRequest } from "./draft";
import { Step } from "./Step";
import { StepList } from "./StepList";
import { type StepId, STEP_LABELS, stepOfField, stepsOf } from "./steps";
import { type Errors, stepErrors } from "./validation";

export function RequestPage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const profiles = useProfiles();
  const [draft, setDraft] = useState<Draft>(EMPTY_DRAFT);
  const [step, setStep] = useState<StepId>("method");
  const [reached, setReached] = useState(0);
  const [errors, setErrors] = useState<Errors>({});

  const steps = stepsOf(draft.method);
  const position = steps.indexOf(step);
  const profile = profiles.data?.find((item) => String(item.id) === draft.profileId);

  const submit = useMutation({
    mutationFn: () => post<Enrolled>("/certificates", toRequest(draft)),
    onSuccess: async (enrolled) => {
      await client.invalidateQueries({ queryKey: ["certificates"] });
      toast(enrolled.status === "Issued" ? "The certificate is issued" : "Requested");
      await navigate(`/certificates/ssl/${enrolled.id}`);
    },
    onError: (error) => {
      // Back to the first step that the hub has complaints about.
      const blamed = asProblem(error).errors.map((item) => stepOfField(item.field, draft.method));
      const first = steps.find((item) => blamed.includes(item));
      if (first) setStep(first);
    },
  });
  const problem = submit.error ? asProblem(submit.error) : null;

  const change = (changes: Partial<Draft>) => {
    setDraft({ ...draft, ...changes });
    setErrors({});
    submit.reset();
    // What comes after a change has to be looked at again.
    setReached(Math.min(reached, position));
  };

  const next = () => {
    const found = stepErrors(step, draft, profile);
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    const following = steps[position + 1];
    if (!following) {
      submit.mutate();
      return;
    }
    setStep(following);
    setReached(Math.max(reached, position + 1));
  };

  const go = (to: StepId) => {
    setErrors({});
    setStep(to);
  };

  return (
    <>
      <PageHeader
        title="Request a certificate"
        actions={
          <LinkButton to="/certificates/ssl" icon="close">
            Cancel
          </LinkButton>
        }
      />
      <div className="wizard">
        <StepList steps={steps} current={step} reached={reached} onGo={go} />
        <form
          className="form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            next();
          }}
        >
          <h2>{STEP_LABELS[step]}</h2>
          <Step
            step={step}
            draft={draft}
            change={change}
            profile={profile}
            errorOf={(field) => errors[field] ?? problem?.of(field)}
          />
          <ProblemNotice error={submit.error} />
          <div className="form-actions">
            {position > 0 && (
              <Button
                icon="back"
                onClick={() => {
                  go(steps[position - 1] ?? "method");
                }}
              >
                Back
              </Button>
            )}
            <Button type="submit" variant="primary" busy={submit.isPending}>
              {step === "review" ? "Request certificate" : "Next"}
            </Button>
          </div>
        </form>
      </div>
    </>
  );
}
