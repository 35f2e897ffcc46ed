import type { RenewalPolicy } from "../../api/types";
import { Check, Select, TextField } from "../../forms/fields";
import type { FieldProps } from "../../forms/SchemaForm";

export const DEFAULT_RENEWAL: RenewalPolicy = {
  enabled: false,
  days_before: null,
  share: 0.67,
  new_key_pair: true,
  jitter_hours: 24,
  revoke_after_hours: null,
};

const FIRST_DAYS = 30;

const numberOf = (text: string): number | null => (text === "" ? null : Number(text));

interface Props extends FieldProps {
  errorOf?: (field: string) => string | undefined;
}

export function ProfileRenewalFields({ value, onChange, errorOf = () => undefined }: Props) {
  const policy: RenewalPolicy = { ...DEFAULT_RENEWAL, ...(value as Partial<RenewalPolicy> | undefined) };
  const change = (changes: Partial<RenewalPolicy>) => {
    onChange({ ...policy, ...changes });
  };
  const byDays = policy.days_before !== null;
  return (
    <>
      <div className="wide">
        <Check
          label="Renew certificates automatically"
          hint="Those whose request does not say otherwise."
          checked={policy.enabled}
          onChange={(enabled) => {
            change({ enabled });
          }}
        />
      </div>
      <Select
        label="Due"
        value={byDays ? "days" : "share"}
        onChange={(how) => {
          change({ days_before: how === "days" ? FIRST_DAYS : null });
        }}
        options={[
          { value: "share", label: "After a share of the lifetime" },
          { value: "days", label: "Days before the end" },
        ]}
      />
      {byDays ? (
        <TextField
          label="Days before the end"
          type="number"
          min={1}
          value={String(policy.days_before ?? "")}
          onChange={(text) => {
            change({ days_before: Number(text) });
          }}
          error={errorOf("renewal.days_before")}
        />
      ) : (
        <TextField
          label="Share of the lifetime in percent"
          type="number"
          min={1}
          max={99}
          hint="67: when two thirds are over."
          value={String(Math.round(policy.share * 100))}
          onChange={(text) => {
            change({ share: Number(text) / 100 });
          }}
          error={errorOf("renewal.share")}
        />
      )}
      <TextField
        label="Spread over hours"
        type="number"
        min={0}
        hint="Renewals of one day don't start together; each begins up to so many hours earlier."
        value={String(policy.jitter_hours)}
        onChange={(text) => {
          change({ jitter_hours: Number(text) });
        }}
        error={errorOf("renewal.jitter_hours")}
      />
      <TextField
        label="Revoke the old one after hours"
        type="number"
        min={0}
        hint="Counted from when the new one works. Empty: it ends by itself."
        value={policy.revoke_after_hours === null ? "" : String(policy.revoke_after_hours)}
        onChange={(text) => {
          change({ revoke_after_hours: numberOf(text) });
        }}
        error={errorOf("renewal.revoke_after_hours")}
      />
      <div className="wide">
        <Check
          label="New key pair at each renewal"
          hint="Otherwise the same key is certified again."
          checked={policy.new_key_pair}
          onChange={(new_key_pair) => {
            change({ new_key_pair });
          }}
        />
      </div>
    </>
  );
}
