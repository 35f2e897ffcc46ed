import type { StepProps } from "./StepProps";

const CHOICES = [
  {
    value: "immediate",
    title: "As soon as it is issued",
    text: "The agent installs the certificate, reloads the servers and checks by handshake that they serve it.",
  },
  {
    value: "triggered",
    title: "When somebody says so",
    text: "The certificate is stored with the agents; Install on its page puts it on the nodes.",
  },
] as const;

export function InstallationStep({ draft, change }: StepProps) {
  return (
    <fieldset className="radio-cards">
      <legend className="field-label">When is it installed?</legend>
      {CHOICES.map(({ value, title, text }) => (
        <label key={value} className="radio-card">
          <input
            type="radio"
            name="installation"
            checked={draft.installation === value}
            onChange={() => {
              change({ installation: value });
            }}
          />
          <span>
            <strong>{title}</strong>
            {text}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
