import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { patch } from "../../api/client";
import { useMay, useSession } from "../../api/session";
import type { Grant, Provider, ProviderTemplate, TemplateGrant } from "../../api/types";
import { Button } from "../../components/Button";
import { Panel } from "../../components/Panel";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useToast } from "../../components/toasts";
import { Select, TextField } from "../../forms/fields";
import { isComplete, newGrant } from "../administration/grants";
import { GrantsEditor } from "../administration/GrantsEditor";

/** The organization may be found by an attribute instead; such grants are set up by the API and left alone here. */
const byAttribute = (grant: TemplateGrant): boolean => grant.organization_attribute !== "";

const plain = (grant: TemplateGrant): Grant => ({
  role: grant.role,
  organization_id: grant.organization_id,
  department_id: grant.department_id,
  certificate_types: grant.certificate_types,
});

interface TemplateProps {
  template: ProviderTemplate;
  number: number;
  onChange: (template: ProviderTemplate) => void;
  onRemove: () => void;
}

function TemplateEditor({ template, number, onChange, onRemove }: TemplateProps) {
  const kept = template.grants.filter(byAttribute);
  const own = template.grants.filter((grant) => !byAttribute(grant)).map(plain);
  return (
    <Panel
      title={`Template ${number}`}
      actions={<Button small variant="quiet" icon="trash" aria-label={`Remove template ${number}`} onClick={onRemove} />}
      foot={kept.length > 0 && `${kept.length} more whose organization an attribute names; change these by the API.`}
    >
      <div className="stack">
        <div className="form-grid">
          <TextField
            label="Attribute or claim"
            hint="Empty: everybody whom the provider knows."
            value={template.attribute}
            onChange={(attribute) => {
              onChange({ ...template, attribute });
            }}
          />
          <TextField
            label="Has the value"
            disabled={!template.attribute}
            value={template.value}
            onChange={(value) => {
              onChange({ ...template, value });
            }}
          />
        </div>
        <GrantsEditor
          grants={own}
          onChange={(grants) => {
            const given = grants.map((grant): TemplateGrant => ({ ...grant, organization_attribute: "" }));
            onChange({ ...template, grants: [...given, ...kept] });
          }}
        />
      </div>
    </Panel>
  );
}

const MAPPED = [
  { name: "username", label: "User name", hint: "Empty: the subject." },
  { name: "name", label: "Name", hint: "" },
  { name: "email", label: "E-mail", hint: "" },
] as const;

/** Which attributes say who somebody is, and what they become at their first sign-in. */
export function MappingForm({ provider }: { provider: Provider }) {
  const may = useMay();
  const session = useSession();
  const client = useQueryClient();
  const toast = useToast();
  const [settings, setSettings] = useState(provider.settings);
  const { templates, mapping } = settings;
  const setTemplates = (next: ProviderTemplate[]) => {
    setSettings({ ...settings, templates: next });
  };
  const save = useMutation({
    mutationFn: () => patch(`/identity-providers/${provider.id}/${provider.kind}`, { settings }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["providers"] });
      toast("Saved");
    },
  });
  const complete = templates.every((item) =>
    item.grants.every((grant) => byAttribute(grant) || isComplete(plain(grant))),
  );
  return (
    <form
      className="form form-page"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Panel title="Who somebody is" foot="Names of the provider's attributes or claims.">
        <div className="form-grid">
          {MAPPED.map(({ name, label, hint }) => (
            <TextField
              key={name}
              label={label}
              hint={hint}
              value={mapping[name]}
              onChange={(value) => {
                setSettings({ ...settings, mapping: { ...mapping, [name]: value } });
              }}
            />
          ))}
          <Select
            label="Second factor"
            value={settings.second_factor}
            onChange={(value) => {
              setSettings({ ...settings, second_factor: value === "provider" ? "provider" : "hub" });
            }}
            options={[
              { value: "hub", label: "Asked for here, if the role needs one" },
              { value: "provider", label: "The provider has seen to it" },
            ]}
          />
        </div>
      </Panel>
      <p className="muted">
        Templates give roles to people who sign in for the first time; they get what all that fit give together. Without
        one that fits, they are refused.
      </p>
      {templates.map((template, index) => (
        <TemplateEditor
          // Templates have no identity; their place in the list is it.
          key={index}
          template={template}
          number={index + 1}
          onChange={(changed) => {
            setTemplates(templates.map((item, at) => (at === index ? changed : item)));
          }}
          onRemove={() => {
            setTemplates(templates.filter((_, at) => at !== index));
          }}
        />
      ))}
      <ProblemNotice error={save.error} />
      {may("identity_providers.edit") && (
        <div className="form-actions">
          <Button
            icon="plus"
            onClick={() => {
              const grant: TemplateGrant = { ...newGrant(session.grants), organization_attribute: "" };
              setTemplates([...templates, { attribute: "", value: "", grants: [grant], privileges: null }]);
            }}
          >
            Add template
          </Button>
          <Button type="submit" variant="primary" busy={save.isPending} disabled={!complete}>
            Save
          </Button>
        </div>
      )}
    </form>
  );
}
