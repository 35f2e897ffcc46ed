import { Icon } from "../../../components/Icon";
import { STEP_LABELS, type StepId } from "./steps";

interface Props {
  steps: readonly StepId[];
  current: StepId;
  /** Steps up to here have been filled in and can be gone back to. */
  reached: number;
  onGo: (step: StepId) => void;
}

export function StepList({ steps, current, reached, onGo }: Props) {
  return (
    <nav aria-label="Steps">
      <ol className="wizard-steps">
        {steps.map((step, index) => {
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
                <span className="wizard-number">
                  {done ? <Icon name="check" size={13} /> : index + 1}
                </span>
                {STEP_LABELS[step]}
              </button>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
