import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { post } from "../../api/client";
import { asProblem } from "../../api/problem";
import type { Dcv, DcvMethod } from "../../api/types";
import { Button, LinkButton } from "../../components/Button";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Field, Select, TextField } from "../../forms/fields";
import { OrganizationPicker } from "../../forms/pickers";
import { useMethods, useWriters } from "./methods";

const SHOWN = ["organization_id", "domain", "writer_id"];

function hintOf(method: DcvMethod): string {
  const parts = [method.covers_subdomains ? "Covers all names below." : "Covers this name only, not those below."];
  if (method.repeatable) parts.push("Can be repeated without you.");
  if (method.takes_writer) parts.push("A DNS writer can publish the record.");
  if (method.ends_at) parts.push(`For public trust until ${method.ends_at.slice(0, 10)}.`);
  if (method.section) parts.push(`Baseline Requirements ${method.section}.`);
  return parts.join(" ");
}

interface MethodsProps {
  value: string;
  onChange: (name: string) => void;
}

function MethodCards({ value, onChange }: MethodsProps) {
  const query = useMethods();
  return (
    <Loaded query={query}>
      {({ methods }) => (
        <fieldset className="radio-cards">
          <legend className="field-label">Method</legend>
          {methods.map((method) => (
            <label key={method.name} className="radio-card">
              <input
                type="radio"
                name="method"
                value={method.name}
                checked={value === method.name}
                onChange={() => {
                  onChange(method.name);
                }}
              />
              <span>
                <strong>{method.display_name}</strong>
                <span className="field-hint">{hintOf(method)}</span>
              </span>
            </label>
          ))}
        </fieldset>
      )}
    </Loaded>
  );
}

/** Choose a method; what then has to be done is on the validation's own page. */
export function StartPage() {
  const [search] = useSearchParams();
  const client = useQueryClient();
  const navigate = useNavigate();
  const methods = useMethods();
  const writers = useWriters();
  const [organization, setOrganization] = useState(search.get("organization") ?? "");
  const [domain, setDomain] = useState(search.get("domain") ?? "");
  const [method, setMethod] = useState("");
  const [trust, setTrust] = useState("public");
  const [writer, setWriter] = useState("");
  const chosen = methods.data?.methods.find((item) => item.name === method);
  const start = useMutation({
    mutationFn: () =>
      post<Dcv>("/dcv", {
        organization_id: Number(organization),
        domain: domain.trim(),
        method,
        trust,
        writer_id: chosen?.takes_writer && writer ? Number(writer) : null,
      }),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ["dcv"] });
      await navigate(`/domain-validation/${made.id}`);
    },
  });
  const problem = start.error ? asProblem(start.error) : null;
  return (
    <>
      <PageHeader
        title="Validate a domain"
        actions={
          <LinkButton to="/domain-validation" icon="close">
            Cancel
          </LinkButton>
        }
      />
      <form
        className="form form-page"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          start.mutate();
        }}
      >
        <div className="form-grid">
          <OrganizationPicker value={organization} onChange={setOrganization} required error={problem?.of("organization_id")} />
          <TextField
            label="Domain"
            required
            placeholder="example.com"
            hint="Without a wildcard."
            value={domain}
            onChange={setDomain}
            error={problem?.of("domain")}
          />
          <Select
            label="Trust"
            value={trust}
            onChange={setTrust}
            options={[
              { value: "public", label: "Public: rules of the CA/Browser Forum" },
              { value: "private", label: "Private: only inside your networks" },
            ]}
          />
          {chosen?.takes_writer ? (
            <Select
              label="DNS writer"
              empty="None: I create the record"
              value={writer}
              onChange={setWriter}
              options={(writers.data ?? [])
                .filter((item) => item.organization_id === null || String(item.organization_id) === organization)
                .map((item) => ({ value: String(item.id), label: item.name }))}
              error={problem?.of("writer_id")}
            />
          ) : (
            <span />
          )}
        </div>
        <MethodCards value={method} onChange={setMethod} />
        {problem?.of("method") && (
          <Field label="Method" error={problem.of("method")}>
            {() => null}
          </Field>
        )}
        <ProblemNotice error={start.error} shownFields={[...SHOWN, "method"]} />
        <div className="form-actions">
          <Button
            type="submit"
            variant="primary"
            busy={start.isPending}
            disabled={!organization || !domain.trim() || !method}
          >
            Show what to do
          </Button>
        </div>
      </form>
    </>
  );
}
