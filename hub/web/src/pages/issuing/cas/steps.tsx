import type { PrivateCa, PrivateCaOptions } from "../../../api/types";
import { Facts, Panel } from "../../../components/Panel";
import { Time } from "../../../components/Time";
import { Check, Select, TextArea, TextField } from "../../../forms/fields";
import { type CaDraft, commonNameOf, EXTERNAL, roleOf, SELF, type StepId } from "./draft";
import { KEY_STORES, signatureWords } from "./words";

interface StepProps {
  draft: CaDraft;
  change: (changes: Partial<CaDraft>) => void;
  errorOf: (field: string) => string | undefined;
  options: PrivateCaOptions;
  roots: readonly PrivateCa[];
}

const templateOf = ({ draft, options }: StepProps) => options.templates.find((item) => item.name === draft.template);
const parentOf = ({ draft, roots }: StepProps) => roots.find((root) => String(root.id) === draft.parent);

const years = (template: PrivateCaOptions["templates"][number]) =>
  template.ends_at ? <Time value={template.ends_at} /> : `${template.years} years`;

function BasicStep({ draft, change, errorOf, options, roots }: StepProps) {
  const parents = [
    { value: SELF, label: "None: a self-issued root" },
    ...roots
      .filter((root) => root.key_store !== "offline" && root.state === "signed")
      .map((root) => ({ value: String(root.id), label: root.name })),
    { value: EXTERNAL, label: "An offline root: make a signing request" },
  ];
  return (
    <>
      <TextField
        label="CA name"
        required
        hint="Under this name profiles choose it."
        value={draft.name}
        error={errorOf("name")}
        onChange={(name) => {
          change({ name });
        }}
      />
      <Select
        label="Parent issuer"
        required
        hint="Servers and people get their certificates from an issuing CA; a root only signs issuing CAs."
        options={parents}
        value={draft.parent}
        error={errorOf("parent_id")}
        onChange={(parent) => {
          // Templates belong to a role.
          change({ parent, template: "" });
        }}
      />
      <Select
        label="Key is kept in"
        options={[
          { value: "software", label: KEY_STORES.software },
          ...(options.hsm === null ? [] : [{ value: "hsm", label: `${KEY_STORES.hsm} (${options.hsm})` }]),
        ]}
        hint={options.hsm === null ? "This hub has no hardware security module set up." : "A key in the module can never be taken out of it."}
        value={draft.keyStore}
        error={errorOf("key_store")}
        onChange={(value) => {
          change({ keyStore: value === "hsm" ? "hsm" : "software", template: "" });
        }}
      />
      {draft.parent !== EXTERNAL && (
        <Check
          label="Trial mode"
          hint="For 30 days; certificates live 30 days at most, whatever the profile says."
          checked={draft.trial}
          onChange={(trial) => {
            change({ trial });
          }}
        />
      )}
    </>
  );
}

function TemplateStep(props: StepProps) {
  const { draft, change, errorOf, options } = props;
  const template = templateOf(props);
  const offered = options.templates.filter(
    (item) => item.role === roleOf(draft) && (draft.keyStore !== "hsm" || item.in_hsm),
  );
  return (
    <>
      <Select
        label="Template"
        required
        empty="Choose one"
        options={offered.map((item) => ({ value: item.name, label: item.name }))}
        value={draft.template}
        error={errorOf("template")}
        onChange={(name) => {
          change({ template: name, hash: "" });
        }}
      />
      {template && (
        <Facts
          items={[
            ["Key type", template.key_type],
            [template.ends_at ? "Ends on" : "Lifetime", years(template)],
          ]}
        />
      )}
      <TextField
        label="Other lifetime in days"
        inputMode="numeric"
        hint="Empty: the template's. Nothing outlives its parent."
        value={draft.days}
        error={errorOf("days")}
        onChange={(days) => {
          change({ days });
        }}
      />
      {template?.key_type.startsWith("ML-DSA") && (
        <p className="muted small">Few programs can check ML-DSA signatures so far: try it with yours before you rely on it.</p>
      )}
    </>
  );
}

function SignatureStep(props: StepProps) {
  const { draft, change, errorOf } = props;
  const template = templateOf(props);
  const parent = parentOf(props);
  if (template === undefined || template.hashes.length === 0) {
    return <p>{template?.key_type ?? "Such"} keys sign in one way only; there is nothing to choose.</p>;
  }
  return (
    <>
      <Select
        label="Signature algorithm"
        empty="What suits the key"
        options={template.hashes.map((name) => ({ value: name, label: name }))}
        hint="With which this CA signs certificates and revocation lists."
        value={draft.hash}
        error={errorOf("signature_hash")}
        onChange={(value) => {
          change({ hash: value as CaDraft["hash"] });
        }}
      />
      {parent && (
        <p className="muted small">
          Its own certificate is signed by {parent.name}: {signatureWords(parent.signature_algorithm)}.
        </p>
      )}
    </>
  );
}

function SubjectStep({ draft, change, errorOf }: StepProps) {
  return (
    <>
      <TextField
        label="Customer name"
        required
        hint={`Organization (O). Common name (CN): ${commonNameOf(draft) || "made of it"}`}
        value={draft.organization}
        error={errorOf("subject.organization") ?? errorOf("subject")}
        onChange={(organization) => {
          change({ organization });
        }}
      />
      <TextField
        label="Other common name"
        hint="Empty: the customer name, and what kind of CA it is."
        value={draft.commonName}
        error={errorOf("subject.common_name")}
        onChange={(commonName) => {
          change({ commonName });
        }}
      />
      <TextField
        label="City or locality"
        value={draft.locality}
        error={errorOf("subject.locality")}
        onChange={(locality) => {
          change({ locality });
        }}
      />
      <TextField
        label="State or province"
        value={draft.state}
        error={errorOf("subject.state")}
        onChange={(state) => {
          change({ state });
        }}
      />
      <TextField
        label="Country"
        hint="Two letters, such as DE."
        maxLength={2}
        value={draft.country}
        error={errorOf("subject.country")}
        onChange={(country) => {
          change({ country });
        }}
      />
      {roleOf(draft) === "issuing" && draft.parent !== EXTERNAL && (
        <TextArea
          label="Names that it may certify"
          hint="Domains and networks such as example.com or 10.0.0.0/8, one a line. Empty: all names."
          rows={3}
          value={draft.permitted}
          error={errorOf("name_constraints")}
          onChange={(permitted) => {
            change({ permitted });
          }}
        />
      )}
      {roleOf(draft) === "root" && (
        <TextField
          label="Path length"
          inputMode="numeric"
          hint="How many CAs may stand under it one below the other. Empty: no limit."
          value={draft.pathLength}
          error={errorOf("path_length")}
          onChange={(pathLength) => {
            change({ pathLength });
          }}
        />
      )}
    </>
  );
}

function ConfirmationStep(props: StepProps) {
  const { draft } = props;
  const template = templateOf(props);
  const subject = [
    `CN=${commonNameOf(draft)}`,
    draft.organization && `O=${draft.organization}`,
    draft.locality && `L=${draft.locality}`,
    draft.state && `ST=${draft.state}`,
    draft.country && `C=${draft.country.toUpperCase()}`,
  ];
  const parent = draft.parent === SELF ? "None: a self-issued root" : (parentOf(props)?.name ?? "An offline root");
  const foot =
    draft.parent === EXTERNAL
      ? "The key is made now. Have the signing request signed with the offline root, then import the certificate."
      : "The key is made now, and the ceremony log notes it.";
  return (
    <Panel title="The new CA" foot={foot}>
      <Facts
        items={[
          ["Name", draft.name],
          ["Parent issuer", parent],
          ["Key is kept in", KEY_STORES[draft.keyStore]],
          ["Template", draft.template],
          ["Key type", template?.key_type],
          ["Lifetime", draft.days ? `${draft.days} days` : template && years(template)],
          ["Signature algorithm", template?.hashes.length === 0 ? template.key_type : draft.hash || "What suits the key"],
          ["Subject", subject.filter(Boolean).join(", ")],
          ["May certify", draft.permitted.trim() || null],
          ["Path length", draft.pathLength],
          ["Trial mode", draft.trial ? "30 days" : "no"],
        ]}
      />
    </Panel>
  );
}

const COMPONENTS = {
  basic: BasicStep,
  template: TemplateStep,
  signature: SignatureStep,
  subject: SubjectStep,
  confirmation: ConfirmationStep,
} as const;

export function CaStep({ step, ...props }: StepProps & { step: StepId }) {
  const Component = COMPONENTS[step];
  return <Component {...props} />;
}
