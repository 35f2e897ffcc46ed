/** How the form of a certificate profile is laid out. */

import type { KeyType } from "../../api/types";
import { Check } from "../../forms/fields";
import { backendField } from "../../forms/overrides";
import type { FieldOverride } from "../../forms/SchemaForm";

const KEY_TYPES: readonly KeyType[] = [
  "EC-P256",
  "EC-P384",
  "EC-P521",
  "RSA-2048",
  "RSA-3072",
  "RSA-4096",
  "Ed25519",
];

export const SAN_RULES: Readonly<Record<string, string>> = {
  single: "One name, no wildcard",
  wildcard: "One wildcard name",
  multi: "Several names, no wildcards",
  any: "Several names, wildcards too",
};

export const PROFILE_FIELDS = [
  "name",
  "backend_id",
  "description",
  "trust",
  "san_rule",
  "terms_days",
  "max_names",
  "key_types",
  "extended_key_usage",
  "key_usage",
  "auto_approve",
];

export const PROFILE_OVERRIDES: Readonly<Record<string, FieldOverride>> = {
  backend_id: backendField,
  trust: { choices: { private: "Private", public: "Public" } },
  terms_days: { label: "Terms in days", hint: "Separated by commas; the first is the default." },
  san_rule: { label: "Names", choices: SAN_RULES },
  max_names: { label: "Names at most" },
  extended_key_usage: { hint: "One a line, such as serverAuth." },
  key_usage: { hint: "One a line; empty: what suits the key type." },
  auto_approve: { label: "Approve requests automatically", hint: "No administrator has to look at them." },
  key_types: {
    render: ({ value, onChange, error }) => {
      const chosen = Array.isArray(value) ? (value as string[]) : [];
      return (
        <fieldset className="choices wide">
          <legend className="field-label">Key types</legend>
          {KEY_TYPES.map((type) => (
            <Check
              key={type}
              label={type}
              checked={chosen.includes(type)}
              onChange={(checked) => {
                onChange(KEY_TYPES.filter((item) => (item === type ? checked : chosen.includes(item))));
              }}
            />
          ))}
          {error && <div className="field-error">{error}</div>}
        </fieldset>
      );
    },
  },
};
