import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { get, post } from "../../api/client";
import { useMay } from "../../api/session";
import type { OrganizationRow, OrganizationValidation } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Badge, type Tone } from "../../components/Badge";
import { DialogButton } from "../../components/DialogButton";
import { Facts, Panel } from "../../components/Panel";
import { Expiry, Time } from "../../components/Time";
import { TextArea, TextField } from "../../forms/fields";

type State = OrganizationRow["validation"];

const STATES: Readonly<Record<State, readonly [Tone, string]>> = {
  not_validated: ["idle", "Not validated"],
  pending: ["warn", "Being validated"],
  validated: ["ok", "Validated"],
};

export function ValidationBadge({ state }: { state: State }) {
  const [tone, label] = STATES[state];
  return <Badge tone={tone}>{label}</Badge>;
}

const STEPS: Readonly<Record<State, readonly (readonly [event: string, label: string])[]>> = {
  not_validated: [
    ["submit", "Start"],
    ["validate", "Validated"],
  ],
  pending: [
    ["validate", "Validated"],
    ["refuse", "Refuse"],
  ],
  validated: [
    ["validate", "Validated again"],
    ["withdraw", "Withdraw"],
  ],
};

const WORDS: Readonly<Record<string, string>> = {
  submit: "Validation started",
  validate: "Validated",
  refuse: "Refused",
  withdraw: "Withdrawn",
  expire: "Expired",
};

interface StepProps {
  organization: OrganizationRow;
  event: string;
  label: string;
  onClose: () => void;
}

function StepDialog({ organization, event, label, onClose }: StepProps) {
  const client = useQueryClient();
  const [comment, setComment] = useState("");
  const [until, setUntil] = useState("");
  return (
    <ActionDialog
      title={`${organization.name}: ${label.toLowerCase()}`}
      confirm={label}
      danger={event === "refuse" || event === "withdraw"}
      done="Saved"
      run={async () => {
        const expires = until ? { expires_at: new Date(`${until}T23:59:59`).toISOString() } : {};
        await post(`/organizations/${organization.id}/validation`, { event, comment, ...expires });
        await client.invalidateQueries({ queryKey: ["organizations"] });
      }}
      onClose={onClose}
    >
      {event === "validate" && (
        <TextField
          label="Valid until"
          type="date"
          hint="Empty: 398 days from now."
          value={until}
          onChange={setUntil}
        />
      )}
      <TextArea label="Comment" rows={3} value={comment} onChange={setComment} hint="What was checked, and how." />
    </ActionDialog>
  );
}

/** Whether somebody made sure that the organization exists and is who it says. */
export function ValidationPanel({ organization }: { organization: OrganizationRow }) {
  const may = useMay();
  const history = useQuery({
    queryKey: ["organizations", "validation", organization.id],
    queryFn: ({ signal }) =>
      get<{ items: OrganizationValidation[] }>(`/organizations/${organization.id}/validations`, {}, signal),
  });
  return (
    <Panel
      title="Validation"
      actions={
        may("organizations.validate") &&
        STEPS[organization.validation].map(([event, label]) => (
          <DialogButton key={event} small label={label}>
            {(close) => <StepDialog organization={organization} event={event} label={label} onClose={close} />}
          </DialogButton>
        ))
      }
    >
      <div className="stack">
        <Facts
          items={[
            ["Status", <ValidationBadge key="state" state={organization.validation} />],
            ["Validated", organization.validated_at && <Time value={organization.validated_at} />],
            ["Ends", organization.validation_expires_at && <Expiry value={organization.validation_expires_at} />],
          ]}
        />
        {history.data && history.data.items.length > 0 && (
          <ol className="timeline">
            {history.data.items.map((step) => (
              <li key={step.at + step.event} className="timeline-item">
                <div>
                  <strong>{WORDS[step.event] ?? step.event}</strong>
                  <div className="small muted">
                    {step.actor}
                    {step.comment && `: ${step.comment}`}
                  </div>
                </div>
                <Time value={step.at} />
              </li>
            ))}
          </ol>
        )}
      </div>
    </Panel>
  );
}
