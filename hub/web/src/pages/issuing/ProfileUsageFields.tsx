import type { KeyType } from "../../api/types";
import { Check, TextArea } from "../../forms/fields";
import type { FieldProps } from "../../forms/SchemaForm";

const PRIVATE_ONLY: readonly KeyType[] = ["Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"];
const KEY_TYPES: readonly KeyType[] = ["EC-P256", "EC-P384", "EC-P521", "RSA-2048", "RSA-3072", "RSA-4096", ...PRIVATE_ONLY];

const EXTENDED = {
  serverAuth: "TLS server",
  clientAuth: "TLS client",
  ipsecIKE: "IPsec",
  smartcardLogon: "Smart card logon",
  msKDC: "Domain controller",
  codeSigning: "Code signing",
  emailProtection: "E-mail",
  timeStamping: "Time stamping",
};

const BASIC = {
  digitalSignature: "Digital signature",
  keyEncipherment: "Key encipherment (RSA only)",
  dataEncipherment: "Data encipherment (RSA only)",
  keyAgreement: "Key agreement (EC only)",
  nonRepudiation: "Non-repudiation",
};

const USAGES = {
  basic: { label: "Key usage", hint: "None: what suits each certificate's key type.", words: BASIC },
  extended: { label: "Extended key usage", hint: "", words: EXTENDED },
} as const;

const PUBLIC_USAGES = new Set(["serverAuth", "clientAuth", ...Object.keys(BASIC).filter((name) => name !== "nonRepudiation")]);

const strings = (value: unknown): readonly string[] => (Array.isArray(value) ? (value as string[]) : []);

interface ChoicesProps {
  label: string;
  hint?: string;
  error: string | undefined;
  options: readonly (readonly [value: string, label: string])[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}

function Choices({ label, hint, error, options, chosen, onChange }: ChoicesProps) {
  return (
    <fieldset className="choices wide">
      <legend className="field-label">{label}</legend>
      {options.map(([value, words]) => (
        <Check
          key={value}
          label={words}
          checked={chosen.includes(value)}
          onChange={(checked) => {
            const others = chosen.filter((item) => item !== value);
            onChange(checked ? [...others, value] : others);
          }}
        />
      ))}
      {hint && <div className="field-hint">{hint}</div>}
      {error && <div className="field-error">{error}</div>}
    </fieldset>
  );
}

export function KeyTypesField({ value, onChange, error, isPublic }: FieldProps & { isPublic: boolean }) {
  const chosen = strings(value);
  const offered = KEY_TYPES.filter((type) => !PRIVATE_ONLY.includes(type) || !isPublic || chosen.includes(type));
  return (
    <Choices
      label="Key types"
      error={error}
      options={offered.map((type) => [type, type] as const)}
      chosen={chosen}
      onChange={(next) => {
        onChange(KEY_TYPES.filter((type) => next.includes(type)));
      }}
    />
  );
}

/** Usages that have a name as checks; OIDs of one's own a line each. */
export function UsagesField(props: FieldProps & { kind: keyof typeof USAGES; isPublic: boolean }) {
  const { value, onChange, error, kind, isPublic } = props;
  const { label, hint, words } = USAGES[kind];
  const chosen = strings(value);
  const known = Object.entries(words);
  const others = chosen.filter((item) => !(item in words));
  const offered = known.filter(([name]) => !isPublic || PUBLIC_USAGES.has(name) || chosen.includes(name));
  return (
    <>
      <Choices
        label={label}
        hint={hint}
        error={error}
        options={offered}
        chosen={chosen.filter((item) => item in words)}
        onChange={(next) => {
          onChange([...known.map(([name]) => name).filter((name) => next.includes(name)), ...others]);
        }}
      />
      {kind === "extended" && !isPublic && (
        <TextArea
          label="Further extended usages"
          wide
          rows={2}
          hint="Object identifiers, one a line."
          value={others.join("\n")}
          onChange={(text) => {
            const named = chosen.filter((item) => item in words);
            onChange([...named, ...(text === "" ? [] : text.split("\n"))]);
          }}
        />
      )}
    </>
  );
}
