import { Select, TextField } from "../../forms/fields";
import type { RenewalDraft } from "./autoRenew";

interface Props {
  value: RenewalDraft;
  onChange: (value: RenewalDraft) => void;
  errorOf: (field: string) => string | undefined;
  /** `profile`: it may be left to the profile; `own`: on or off; `none`: it is on. */
  choice: "profile" | "own" | "none";
  profileWords?: string | undefined;
}

const DUE = [
  { value: "profile", label: "As the profile says" },
  { value: "days", label: "Days before it expires" },
  { value: "share", label: "After a share of its lifetime" },
];

const KEYS = [
  { value: "profile", label: "As the profile says" },
  { value: "new", label: "New key pair at each renewal" },
  { value: "same", label: "Same key pair" },
];

const MODES = [
  { value: "on", label: "By itself" },
  { value: "off", label: "By hand" },
];

export function RenewalFields({ value, onChange, errorOf, choice, profileWords }: Props) {
  const set = (changes: Partial<RenewalDraft>) => {
    onChange({ ...value, ...changes });
  };
  const modes = choice === "profile" ? [{ value: "profile", label: "As the profile says" }, ...MODES] : MODES;
  return (
    <div className="form-grid">
      {choice !== "none" && (
        <Select
          label="Renewal"
          options={modes}
          value={value.mode}
          onChange={(mode) => {
            set({ mode: mode as RenewalDraft["mode"] });
          }}
          hint={value.mode === "profile" && profileWords ? `With this profile ${profileWords}.` : undefined}
          error={errorOf("auto_renew") ?? errorOf("enabled")}
          wide
        />
      )}
      {value.mode === "on" && (
        <>
          <Select
            label="When"
            options={DUE}
            value={value.due}
            onChange={(due) => {
              set({ due: due as RenewalDraft["due"] });
            }}
          />
          {value.due === "days" && (
            <TextField
              label="Days before it expires"
              type="number"
              min={1}
              max={365}
              required
              value={value.days}
              onChange={(days) => {
                set({ days });
              }}
              error={errorOf("days_before")}
            />
          )}
          {value.due === "share" && (
            <TextField
              label="Share of the lifetime in percent"
              type="number"
              min={1}
              max={99}
              required
              hint="67: when two thirds are over."
              value={value.share}
              onChange={(share) => {
                set({ share });
              }}
              error={errorOf("share")}
            />
          )}
          <Select
            label="Key"
            options={KEYS}
            value={value.keyPair}
            onChange={(keyPair) => {
              set({ keyPair: keyPair as RenewalDraft["keyPair"] });
            }}
            error={errorOf("new_key_pair")}
            wide
          />
        </>
      )}
    </div>
  );
}
