import type { CertificateRequest } from "../../api/types";
import type { ScheduleDraft } from "./schedule";
import { ScheduleFields } from "./ScheduleFields";

const CHOICES = [
  {
    value: "immediate",
    title: "Immediate: as soon as it is issued",
    text: "The agent installs the certificate, reloads the servers and checks by handshake that they serve it.",
  },
  {
    value: "triggered",
    title: "Triggered: when somebody says so",
    text: "The certificate is stored with the agents; Install on its page puts it on the nodes.",
  },
  {
    value: "scheduled",
    title: "Scheduled: in a window that you choose",
    text: "Certificate and key are brought to the agents at once; the servers are changed in the window. Renewals keep to it too.",
  },
] as const;

type Installation = CertificateRequest["installation"];

interface Props {
  installation: Installation;
  schedule: ScheduleDraft;
  onInstallation: (installation: Installation) => void;
  onSchedule: (schedule: ScheduleDraft) => void;
  error?: string | undefined;
}

export function InstallationChoice({ installation, schedule, onInstallation, onSchedule, error }: Props) {
  return (
    <div className="form">
      <fieldset className="radio-cards">
        <legend className="field-label">When is it installed?</legend>
        {CHOICES.map(({ value, title, text }) => (
          <label key={value} className="radio-card">
            <input
              type="radio"
              name="installation"
              checked={installation === value}
              onChange={() => {
                onInstallation(value);
              }}
            />
            <span>
              <strong>{title}</strong>
              {text}
            </span>
          </label>
        ))}
      </fieldset>
      {installation === "scheduled" && <ScheduleFields value={schedule} onChange={onSchedule} error={error} />}
    </div>
  );
}
