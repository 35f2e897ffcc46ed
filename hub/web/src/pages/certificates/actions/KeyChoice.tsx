import { useProfiles } from "../../../api/choices";
import type { KeyType } from "../../../api/types";
import { Select, TextArea } from "../../../forms/fields";
import { AgentPicker } from "../../../forms/pickers";

/** Where a new key comes from. */
export interface KeyDraft {
  method: "csr" | "pks";
  csr: string;
  keyType: KeyType | "";
  pksAgentId: string;
}

export const EMPTY_KEY: KeyDraft = { method: "csr", csr: "", keyType: "", pksAgentId: "" };

export const keyIsChosen = (key: KeyDraft, defaults = false): boolean =>
  key.method === "csr" ? key.csr.trim() !== "" : defaults || (key.keyType !== "" && key.pksAgentId !== "");

export const keyBody = (key: KeyDraft) => ({
  method: key.method,
  csr: key.method === "csr" ? key.csr : null,
  key_type: key.method === "pks" && key.keyType ? key.keyType : null,
  pks_agent_id: key.method === "pks" && key.pksAgentId ? key.pksAgentId : null,
});

interface Props {
  value: KeyDraft;
  onChange: (value: KeyDraft) => void;
  organizationId: string;
  profileId: string;
  /** What is left empty stays as it was. */
  asBefore?: boolean;
  csrRequired?: boolean;
  errorOf: (field: string) => string | undefined;
}

const METHODS = [
  { value: "csr", label: "I bring a signing request" },
  { value: "pks", label: "A private key store makes it" },
];

/** A CSR, or the private key store that makes the key. */
export function KeyChoice({ value, onChange, organizationId, profileId, asBefore = false, csrRequired = true, errorOf }: Props) {
  const profile = useProfiles().data?.find((item) => String(item.id) === profileId);
  const set = (changes: Partial<KeyDraft>) => {
    onChange({ ...value, ...changes });
  };
  return (
    <>
      <Select
        label="New key"
        options={METHODS}
        value={value.method}
        onChange={(method) => {
          set({ method: method as KeyDraft["method"] });
        }}
        error={errorOf("method")}
      />
      {value.method === "csr" ? (
        <TextArea
          label="Certificate signing request (CSR)"
          hint={`PEM, over the new key.${profile ? ` Keys that the profile takes: ${profile.key_types.join(", ")}.` : ""}`}
          code
          required={csrRequired}
          value={value.csr}
          onChange={(csr) => {
            set({ csr });
          }}
          error={errorOf("csr")}
        />
      ) : (
        <>
          <Select
            label="Key type"
            empty={asBefore ? "As before" : "Choose…"}
            options={(profile?.key_types ?? []).map((type) => ({ value: type, label: type }))}
            value={value.keyType}
            onChange={(keyType) => {
              set({ keyType: keyType as KeyType | "" });
            }}
            error={errorOf("key_type")}
          />
          <AgentPicker
            kind="pks"
            organizationId={organizationId}
            label="Private key store"
            value={value.pksAgentId}
            onChange={(pksAgentId) => {
              set({ pksAgentId });
            }}
            hint={asBefore ? "Empty: as before." : undefined}
            error={errorOf("pks_agent_id")}
          />
        </>
      )}
    </>
  );
}
