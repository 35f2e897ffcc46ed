import { useAgents } from "../../../api/choices";
import { METHODS, type Method } from "../vocabulary";
import { stepsOf } from "./steps";
import type { StepProps } from "./StepProps";

const ORDER: readonly Method[] = ["csr", "pks", "auto_install"];

/** Why a method can't be used now. */
function useObstacles(): Readonly<Partial<Record<Method, string>>> {
  const pks = useAgents("pks");
  const network = useAgents("network");
  return {
    ...(pks.data?.length === 0 && { pks: "No private key store agent is enrolled yet." }),
    ...(network.data?.length === 0 && { auto_install: "No network agent is enrolled yet." }),
  };
}

export function MethodStep({ draft, change, errorOf }: StepProps) {
  const obstacles = useObstacles();
  return (
    <fieldset className="radio-cards">
      <legend className="visually-hidden">How is the key made?</legend>
      {ORDER.map((method) => {
        const obstacle = obstacles[method];
        return (
          <label key={method} className="radio-card">
            <input
              type="radio"
              name="method"
              value={method}
              checked={draft.method === method}
              disabled={obstacle !== undefined}
              onChange={() => {
                change({ method });
              }}
            />
            <span>
              <strong>{METHODS[method]?.title}</strong>
              {METHODS[method]?.text}
              <span className="field-hint"> {obstacle ?? `${stepsOf(method).length} steps.`}</span>
            </span>
          </label>
        );
      })}
      {errorOf("method") && (
        <p className="field-error" role="alert">
          {errorOf("method")}
        </p>
      )}
    </fieldset>
  );
}
