import { Button } from "../../../components/Button";
import { TextArea, TextField } from "../../../forms/fields";
import { splitNames } from "./draft";
import type { StepProps } from "./StepProps";

const RULES: Readonly<Record<string, string>> = {
  single: "The profile takes one name.",
  wildcard: "The profile takes one wildcard name, and the name it stands over.",
  multi: "The profile takes several names, without wildcards.",
  any: "The profile takes several names, with wildcards.",
};

export function DomainsStep({ draft, change, profile, checked, errorOf }: StepProps) {
  const byCsr = draft.method === "csr";
  const count = splitNames(draft.names).length;
  const csr = byCsr ? checked?.signing_request : undefined;
  const fill = () => {
    const names = [...(csr?.dns_names ?? []), ...(csr?.ip_addresses ?? [])];
    const commonName = csr?.common_name || names[0] || "";
    change({ commonName, names: names.filter((name) => name !== commonName).join("\n") });
  };
  return (
    <div className="form">
      {csr && (
        <div>
          <Button icon="copy" onClick={fill}>
            Get names from the CSR
          </Button>
        </div>
      )}
      <TextField
        label="Common name"
        required={!byCsr}
        value={draft.commonName}
        onChange={(commonName) => {
          change({ commonName });
        }}
        placeholder="www.example.com"
        hint={byCsr ? "Leave both fields empty to take the names of the CSR." : undefined}
        autoCapitalize="none"
        spellCheck={false}
        error={errorOf("common_name")}
      />
      {profile?.san_rule !== "single" && (
        <TextArea
          label="Subject alternative names"
          rows={5}
          value={draft.names}
          onChange={(names) => {
            change({ names });
          }}
          hint={`Host names and IP addresses, separated by commas, blanks or lines. ${RULES[profile?.san_rule ?? ""] ?? ""}${count > 0 ? ` ${count} so far.` : ""}`}
          spellCheck={false}
          error={errorOf("subject_alternative_names") ?? errorOf("names")}
        />
      )}
      {profile?.san_rule === "single" && errorOf("subject_alternative_names") && (
        <p className="field-error">{errorOf("subject_alternative_names")}</p>
      )}
    </div>
  );
}
