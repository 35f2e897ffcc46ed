import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { post } from "../../../api/client";
import { asProblem } from "../../../api/problem";
import type { PrivateCa, PrivateCaOptions } from "../../../api/types";
import { Button, LinkButton } from "../../../components/Button";
import { Icon } from "../../../components/Icon";
import { Loaded } from "../../../components/Loaded";
import { PageHeader } from "../../../components/PageHeader";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { useToast } from "../../../components/toasts";
import { type CaDraft, EMPTY, type Errors, stepErrors, stepOfField, STEP_LABELS, STEPS, type StepId, toBody } from "./draft";
import { CaStep } from "./steps";
import { useCaOptions, usePrivateCas } from "./useCas";

function StepList({ current, reached, onGo }: { current: StepId; reached: number; onGo: (step: StepId) => void }) {
  return (
    <nav aria-label="Steps">
      <ol className="wizard-steps">
        {STEPS.map((step, index) => {
          const done = index < reached && step !== current;
          return (
            <li key={step}>
              <button
                type="button"
                className="wizard-step"
                disabled={index > reached}
                aria-current={step === current ? "step" : undefined}
                data-state={done ? "done" : undefined}
                onClick={() => {
                  onGo(step);
                }}
              >
                <span className="wizard-number">{done ? <Icon name="check" size={13} /> : index + 1}</span>
                {STEP_LABELS[step]}
              </button>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

function Wizard({ options, roots }: { options: PrivateCaOptions; roots: readonly PrivateCa[] }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const [draft, setDraft] = useState<CaDraft>(EMPTY);
  const [step, setStep] = useState<StepId>("basic");
  const [reached, setReached] = useState(0);
  const [errors, setErrors] = useState<Errors>({});
  const position = STEPS.indexOf(step);

  const create = useMutation({
    mutationFn: () => post<PrivateCa>("/private-cas", toBody(draft)),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ["private-cas"] });
      await client.invalidateQueries({ queryKey: ["ca-backends"] });
      const waits = made.state === "awaiting_signature";
      toast(waits ? "The key and its signing request are made" : "The CA is made");
      await navigate(waits ? `/private-cas/requests/${made.id}` : `/private-cas/${made.id}`);
    },
    onError: (error) => {
      const [first] = asProblem(error).errors;
      if (first) setStep(stepOfField(first.field));
    },
  });
  const problem = create.error ? asProblem(create.error) : null;

  const change = (changes: Partial<CaDraft>) => {
    setDraft({ ...draft, ...changes });
    setErrors({});
    create.reset();
    // What comes after a change has to be looked at again.
    setReached(Math.min(reached, position));
  };
  const go = (to: StepId) => {
    setErrors({});
    setStep(to);
  };
  const next = () => {
    const found = stepErrors(step, draft);
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    const following = STEPS[position + 1];
    if (following === undefined) {
      create.mutate();
      return;
    }
    setStep(following);
    setReached(Math.max(reached, position + 1));
  };

  return (
    <div className="wizard">
      <StepList current={step} reached={reached} onGo={go} />
      <form
        className="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          next();
        }}
      >
        <h2>{STEP_LABELS[step]}</h2>
        <CaStep
          step={step}
          draft={draft}
          change={change}
          options={options}
          roots={roots}
          errorOf={(field) => errors[field] ?? problem?.of(field)}
        />
        <ProblemNotice error={create.error} />
        <div className="form-actions">
          {position > 0 && (
            <Button
              icon="back"
              onClick={() => {
                go(STEPS[position - 1] ?? "basic");
              }}
            >
              Back
            </Button>
          )}
          <Button type="submit" variant="primary" busy={create.isPending}>
            {step === "confirmation" ? "Create CA" : "Next"}
          </Button>
        </div>
      </form>
    </div>
  );
}

export function NewCaPage() {
  const options = useCaOptions();
  const cas = usePrivateCas();
  return (
    <>
      <PageHeader
        title="Add a private CA"
        actions={
          <LinkButton to="/private-cas" icon="close">
            Cancel
          </LinkButton>
        }
      />
      <Loaded query={options}>
        {(offered) => (
          <Loaded query={cas}>
            {({ items }) => <Wizard options={offered} roots={items.filter((ca) => ca.role === "root")} />}
          </Loaded>
        )}
      </Loaded>
    </>
  );
}
