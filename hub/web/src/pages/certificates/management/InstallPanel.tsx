import { useState } from "react";

import { asProblem } from "../../../api/problem";
import { useMay } from "../../../api/session";
import type { Certificate, Target } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { Status } from "../../../components/Badge";
import { DialogButton } from "../../../components/DialogButton";
import { Panel } from "../../../components/Panel";
import { Time } from "../../../components/Time";
import { InstallForm, RestartForm } from "../actions/InstallForm";
import { useCertificateCall } from "../actions/useCertificateAction";
import { InstallationChoice } from "../InstallationChoice";
import { NodeChoice } from "../request/NodesStep";
import { sentence } from "../vocabulary";
import { scheduleBody, scheduleDraft, scheduleFault, scheduleText } from "../schedule";
import { InstallItems } from "./InstallItems";

type Installation = "triggered" | "immediate" | "scheduled";

function timesWords(certificate: Certificate): string {
  if (certificate.installation === "immediate") return "As soon as it is issued";
  if (certificate.installation === "scheduled") {
    return `Scheduled: ${scheduleText(scheduleDraft(certificate.install_schedule))}`;
  }
  return "Triggered: when somebody says so";
}

function useTimes(certificate: Certificate) {
  const [installation, setInstallation] = useState((certificate.installation || "triggered") as Installation);
  const [schedule, setSchedule] = useState(() => scheduleDraft(certificate.install_schedule));
  const scheduled = installation === "scheduled";
  return {
    body: { installation, schedule: scheduled ? scheduleBody(schedule) : null },
    faulty: scheduled && scheduleFault(schedule) !== undefined,
    fields: { installation, schedule, onInstallation: setInstallation, onSchedule: setSchedule },
  };
}

/** When it is installed, now and after each renewal. */
export function TimesDialog({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const { send } = useCertificateCall(certificate);
  const times = useTimes(certificate);
  return (
    <ActionDialog
      title="Times of installation"
      confirm="Save"
      wide
      disabled={times.faulty}
      run={() => send("put", "install-schedule", times.body)}
      done="Times saved"
      onClose={onClose}
      shownFields={["install_schedule", "schedule"]}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return <InstallationChoice {...times.fields} error={problem?.of("install_schedule") ?? problem?.of("schedule")} />;
      }}
    </ActionDialog>
  );
}

export function NodesDialog({ certificate, onClose }: { certificate: Certificate; onClose: () => void }) {
  const { send } = useCertificateCall(certificate);
  const [targets, setTargets] = useState<readonly Target[]>([]);
  return (
    <ActionDialog
      title="Add nodes"
      confirm="Add nodes"
      wide
      disabled={targets.length === 0}
      run={() => send("post", "install-items", { targets, times: null })}
      done="Nodes added"
      onClose={onClose}
      shownFields={["targets"]}
    >
      {(error) => (
        <NodeChoice
          organizationId={String(certificate.organization_id ?? "")}
          taken={certificate.items.filter((item) => !["Failed", "Invalid"].includes(item.status))}
          targets={targets}
          onChange={setTargets}
          error={error ? asProblem(error).of("targets") : undefined}
        />
      )}
    </ActionDialog>
  );
}

/** What waits: a window, an agent, a restart. */
function Waiting({ certificate }: { certificate: Certificate }) {
  const steps = certificate.steps.filter((step) => ["store", "export_key", "deliver", "install"].includes(step.name));
  if (steps.length === 0) return null;
  return (
    <ul className="stack-s small" aria-label="What the installation waits for">
      {steps.map((step) => (
        <li key={`${step.name}/${step.agent_id}`}>
          {sentence(step.message) || "The next step is due"} <Time value={step.due_at} />
          {step.attempts > 0 && <span className="muted"> · tried {step.attempts} times</span>}
        </li>
      ))}
    </ul>
  );
}

/** Auto-installation: state, times, nodes, and what can be done about them. */
export function InstallPanel({ certificate }: { certificate: Certificate }) {
  const may = useMay();
  const able = (action: string) => certificate.actions.includes(action) && may("certificates.install");
  return (
    <Panel
      title="Auto-installation"
      actions={
        <>
          <Status value={certificate.install_state} />
          {able("restart") && (
            <DialogButton small label="Restart" icon="refresh" variant="primary">
              {(close) => <RestartForm certificate={certificate} onClose={close} />}
            </DialogButton>
          )}
          {able("install") && certificate.items.length > 0 && (
            <DialogButton small label="Install now" icon="play">
              {(close) => <InstallForm certificate={certificate} onClose={close} />}
            </DialogButton>
          )}
          {able("set_install_schedule") && (
            <DialogButton small label="Times" icon="calendar">
              {(close) => <TimesDialog certificate={certificate} onClose={close} />}
            </DialogButton>
          )}
          {able("add_install_items") && (
            <DialogButton small label="Add nodes" icon="plus">
              {(close) => <NodesDialog certificate={certificate} onClose={close} />}
            </DialogButton>
          )}
        </>
      }
    >
      <div className="stack">
        {certificate.items.length > 0 ? (
          <>
            <p>{timesWords(certificate)}</p>
            <Waiting certificate={certificate} />
            <InstallItems certificate={certificate} removable={may("certificates.install")} />
          </>
        ) : (
          <p className="muted">
            No server nodes have been chosen for this certificate.
            {!able("add_install_items") && " Nodes can be added once an agent keeps its private key."}
          </p>
        )}
      </div>
    </Panel>
  );
}
