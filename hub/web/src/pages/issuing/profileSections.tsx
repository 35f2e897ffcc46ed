/** How the form of a certificate profile is laid out: which fields, in which groups, in whose words. */

import type { Problem } from "../../api/problem";
import { plainText } from "../../components/plainText";
import { Select } from "../../forms/fields";
import type { Values } from "../../forms/jsonSchema";
import type { FieldOverride } from "../../forms/SchemaForm";
import { backendField } from "../../forms/overrides";
import { BackupBackendsField } from "./BackupBackendsField";
import { OrganizationsField } from "./OrganizationsField";
import { ProfileRenewalFields } from "./ProfileRenewalFields";
import { ProfileSubjectFields } from "./ProfileSubjectFields";
import { KeyTypesField, UsagesField } from "./ProfileUsageFields";

export const SAN_RULES: Readonly<Record<string, string>> = {
  single: "One name, no wildcard",
  wildcard: "One wildcard name",
  multi: "Several names, no wildcards",
  any: "Several names, wildcards too",
};

export const SUB_TYPES: Readonly<Record<string, string>> = {
  "": "Not said",
  DV: "Domain (DV)",
  OV: "Organization (OV)",
  EV: "Extended (EV)",
};

const PUBLIC_TERMS =
  "Separated by commas; the first is the default. Publicly trusted certificates live at most 200 days, 100 from 15 March 2027 and 47 from 15 March 2029.";

export interface ProfileSection {
  title: string;
  foot?: string;
  fields: (values: Values, isNew: boolean) => readonly string[];
}

const several = (values: Values) => values.san_rule === "multi" || values.san_rule === "any";

/** Fields that mean nothing for what is chosen are not shown; the hub's defaults hold for them. */
export const PROFILE_SECTIONS: readonly ProfileSection[] = [
  {
    title: "General",
    fields: (_values, isNew) => [
      "name",
      "backend_id",
      "backup_backend_ids",
      ...(isNew ? ["trust"] : ["status"]),
      "sub_type",
      "terms_days",
      "cost_note",
      "description",
      "organization_ids",
    ],
  },
  {
    title: "Names",
    foot: "The common name is always among the names, and counts as one of them.",
    fields: (values) => [
      "san_rule",
      ...(several(values) ? ["min_names", "max_names"] : []),
      ...(values.san_rule === "single" ? ["www_included"] : []),
      ...(values.trust === "public" ? [] : ["ip_addresses", "internal_names"]),
    ],
  },
  { title: "Keys and usages", fields: () => ["key_types", "extended_key_usage", "key_usage"] },
  {
    title: "Subject",
    foot: "“Organization”: its value, or its department's, fills and wins over what the request says.",
    fields: () => ["subject_policy"],
  },
  {
    title: "Approval",
    fields: (values) => ["auto_approve", ...(values.auto_approve === true ? [] : ["approvals"])],
  },
  {
    title: "Renewal",
    foot: "For certificates that say nothing themselves about their renewal.",
    fields: () => ["renewal"],
  },
  { title: "Agreement", fields: () => ["agreement"] },
];

export const fieldsOf = (values: Values, isNew: boolean): string[] =>
  PROFILE_SECTIONS.flatMap((section) => [...section.fields(values, isNew)]);

/** One of some words; unlike the schema's own select it always has a value. */
const choice = (label: string, choices: Readonly<Record<string, string>>, hint?: string): FieldOverride => ({
  render: ({ value, onChange, error }) => (
    <Select
      label={label}
      hint={hint}
      value={plainText(value)}
      onChange={onChange}
      options={Object.entries(choices).map(([word, words]) => ({ value: word, label: words }))}
      error={error}
    />
  ),
});

const TRUST_HINT = "Public: browsers trust the CA, and the rules of the CA/Browser Forum hold.";

export const overridesFor = (values: Values, problem: Problem | null): Readonly<Record<string, FieldOverride>> => ({
  backend_id: backendField,
  backup_backend_ids: { render: (props) => <BackupBackendsField {...props} own={values.backend_id} /> },
  cost_note: { label: "Cost", hint: "In your words, such as “EUR 40 a year and name”." },
  trust: choice("Trust", { private: "Private", public: "Public" }, TRUST_HINT),
  sub_type: choice("Validation", SUB_TYPES, "What the CA validates, for people to see."),
  status: choice("Status", { active: "Active", disabled: "Disabled: takes no new requests" }),
  terms_days: {
    label: "Terms in days",
    hint: values.trust === "public" ? PUBLIC_TERMS : "Separated by commas; the first is the default.",
  },
  description: { hint: "Shown to applicants." },
  organization_ids: { render: (props) => <OrganizationsField {...props} /> },
  san_rule: choice("Rule of names", SAN_RULES),
  min_names: { label: "Names at least", hint: "2: a multi-domain certificate needs a second name." },
  max_names: { label: "Names at most" },
  www_included: { label: "The name after www. too", hint: "example.com and www.example.com in one certificate." },
  ip_addresses: { label: "IP addresses", hint: "Certificates may carry them." },
  internal_names: { label: "Internal names", hint: "Single labels, and names below no public suffix." },
  key_types: { render: (props) => <KeyTypesField {...props} isPublic={values.trust === "public"} /> },
  extended_key_usage: { render: (props) => <UsagesField {...props} kind="extended" isPublic={values.trust === "public"} /> },
  key_usage: { render: (props) => <UsagesField {...props} kind="basic" isPublic={values.trust === "public"} /> },
  subject_policy: { render: (props) => <ProfileSubjectFields {...props} isDomainOnly={values.trust === "public" && values.sub_type === "DV"} /> },
  auto_approve: { label: "Approve requests automatically", hint: "No administrator has to look at them." },
  approvals: { label: "Administrators who approve", hint: "2: nothing is issued on one person's word." },
  renewal: { render: (props) => <ProfileRenewalFields {...props} errorOf={(field) => problem?.of(field)} /> },
  agreement: {
    label: "Subscriber agreement",
    hint: "Applicants have to accept it, and that is recorded with its text's digest. Empty: there is none.",
  },
});
