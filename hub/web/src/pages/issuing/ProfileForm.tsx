import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { asProblem } from "../../api/problem";
import { Button } from "../../components/Button";
import { Loaded } from "../../components/Loaded";
import { Panel } from "../../components/Panel";
import { ProblemNotice } from "../../components/ProblemNotice";
import { type ApiSchema, useApiSchema } from "../../forms/apiSchema";
import { defaultsOf, type Values } from "../../forms/jsonSchema";
import { SchemaForm } from "../../forms/SchemaForm";
import { fieldsOf, overridesFor, PROFILE_SECTIONS } from "./profileSections";

interface Props {
  /** Present values of a profile that is changed. */
  initial: Values;
  isNew: boolean;
  back: string;
  confirm: string;
  save: (values: Values, fields: readonly string[]) => Promise<unknown>;
}

const RENEWAL_FIELDS = ["days_before", "share", "jitter_hours", "revoke_after_hours"].map((name) => `renewal.${name}`);

/** What follows of a choice: public trust takes neither addresses nor internal names, a wildcard no addresses. */
function follow(next: Values, before: Values): Values {
  if (next.san_rule === "wildcard" && before.san_rule !== "wildcard") return { ...next, ip_addresses: false };
  if (next.trust === before.trust) return next;
  const isPrivate = next.trust !== "public";
  return { ...next, ip_addresses: isPrivate, internal_names: isPrivate };
}

function Form({ description, initial, isNew, back, confirm, save }: Props & { description: ApiSchema }) {
  const { schema, resolve } = description;
  const navigate = useNavigate();
  const [values, setValues] = useState<Values>({ ...(isNew ? defaultsOf(schema) : {}), ...initial });
  const fields = fieldsOf(values, isNew);
  const saving = useMutation({ mutationFn: () => save(values, fields) });
  const problem = saving.error ? asProblem(saving.error) : null;
  const overrides = overridesFor(values, problem);
  return (
    <form
      className="form form-page"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        saving.mutate();
      }}
    >
      {PROFILE_SECTIONS.map((section) => (
        <Panel key={section.title} title={section.title} foot={section.foot}>
          <SchemaForm
            schema={schema}
            resolve={resolve}
            values={values}
            onChange={(next) => {
              setValues(follow(next, values));
            }}
            fields={section.fields(values, isNew)}
            overrides={overrides}
            problem={problem}
          />
        </Panel>
      ))}
      <ProblemNotice error={saving.error} shownFields={[...fields, ...RENEWAL_FIELDS]} />
      <div className="form-actions">
        <Button onClick={() => void navigate(back)}>Cancel</Button>
        <Button type="submit" variant="primary" busy={saving.isPending}>
          {confirm}
        </Button>
      </div>
    </form>
  );
}

/** A page's form of a certificate profile, in groups, made from the API's own description of its fields. */
export function ProfileForm(props: Props) {
  const query = useApiSchema(props.isNew ? "ProfileCreate" : "CertificateProfileChange");
  return <Loaded query={query}>{(description) => <Form {...props} description={description} />}</Loaded>;
}
