import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { useProfiles } from "../../../api/choices";
import { asProblem } from "../../../api/problem";
import { Button, LinkButton } from "../../../components/Button";
import { PageHeader } from "../../../components/PageHeader";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { findingsAt, useChecked } from "./check";
import type { Draft } from "./draft";
import { Step } from "./Step";
import { StepList } from "./StepList";
import { type StepId, STEP_LABELS, stepOfField, stepsOf } from "./steps";
import { type Errors, stepErrors } from "./validation";

interface Props {
  title: string;
  initial: Draft;
  /** A request that is there already is changed. */
  editing?: boolean;
  /** The profile whose agreement was accepted before. */
  acceptedProfileId?: string;
  submitLabel: string;
  cancelTo: string;
  submit: (draft: Draft) => Promise<unknown>;
}

/** A request in steps: each is checked here and by the hub before the next one. */
export function Wizard({ title, initial, editing = false, acceptedProfileId = "", submitLabel, cancelTo, submit: send }: Props) {
  const client = useQueryClient();
  const profiles = useProfiles();
  const [draft, setDraft] = useState<Draft>(initial);
  const [step, setStep] = useState<StepId>(editing ? "details" : "method");
  // What is there already was checked when it was made.
  const [reached, setReached] = useState(editing ? stepsOf(initial.method).length - 1 : 0);
  const [errors, setErrors] = useState<Errors>({});
  const checked = useChecked(draft);

  const profile = profiles.data?.find((item) => String(item.id) === draft.profileId);
  const agreement = Boolean(profile?.agreement) && draft.profileId !== acceptedProfileId;
  const steps = stepsOf(draft.method, agreement);
  const position = steps.indexOf(step);

  const submit = useMutation({
    mutationFn: () => send(draft),
    onError: (error) => {
      // Back to the first step that the hub has complaints about.
      const blamed = asProblem(error).errors.map((item) => stepOfField(item.field, draft.method));
      const first = steps.find((item) => blamed.includes(item));
      if (first) setStep(first);
    },
  });
  const advance = useMutation({
    mutationFn: () => findingsAt(step, draft, editing ? initial : null, client),
    onSuccess: (found) => {
      setErrors(found);
      const following = steps[position + 1];
      if (Object.keys(found).length > 0 || !following) return;
      setStep(following);
      setReached(Math.max(reached, position + 1));
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
    if (step === "review") submit.mutate();
    else advance.mutate();
  };

  const go = (to: StepId) => {
    setErrors({});
    setStep(to);
  };

  return (
    <>
      <PageHeader
        title={title}
        actions={
          <LinkButton to={cancelTo} icon="close">
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
            editing={editing}
            checked={checked}
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
            <Button type="submit" variant="primary" busy={submit.isPending || advance.isPending}>
              {step === "review" ? submitLabel : "Next"}
            </Button>
          </div>
        </form>
      </div>
    </>
  );
}
