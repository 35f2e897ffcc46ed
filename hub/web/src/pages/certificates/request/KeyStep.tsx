import { Select } from "../../../forms/fields";
import { AgentPicker } from "../../../forms/pickers";
import type { KeyType } from "../../../api/types";
import { usesPks } from "./draft";
import type { StepProps } from "./StepProps";

const LOCATIONS = [
  {
    value: "target",
    title: "On the target",
    text: "The network agent beside the server makes the key. It never leaves that host. All nodes must be of one agent.",
  },
  {
    value: "pks",
    title: "In the private key store",
    text: "The key store agent makes and keeps the key, and hands it to the targets sealed to their agents.",
  },
] as const;

function LocationChoice({ draft, change }: StepProps) {
  return (
    <fieldset className="radio-cards">
      <legend className="field-label">Where is the key made?</legend>
      {LOCATIONS.map(({ value, title, text }) => (
        <label key={value} className="radio-card">
          <input
            type="radio"
            name="key-location"
            checked={draft.keyLocation === value}
            onChange={() => {
              change({ keyLocation: value });
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

export function KeyStep(props: StepProps) {
  const { draft, change, profile, errorOf } = props;
  return (
    <div className="form">
      {draft.method === "auto_install" && <LocationChoice {...props} />}
      <div className="form-grid">
        <Select
          label="Key type"
          empty="Choose…"
          value={draft.keyType}
          onChange={(value) => {
            change({ keyType: value as KeyType | "" });
          }}
          options={(profile?.key_types ?? []).map((type) => ({ value: type, label: type }))}
          required
          hint="EC P-256 is fast and understood everywhere; RSA is for very old clients."
          error={errorOf("key_type")}
        />
        {usesPks(draft) && (
          <AgentPicker
            kind="pks"
            organizationId={draft.organizationId}
            label="Private key store"
            value={draft.pksAgentId}
            onChange={(pksAgentId) => {
              change({ pksAgentId });
            }}
            required
            error={errorOf("pks_agent_id")}
          />
        )}
      </div>
    </div>
  );
}
