/** Asking the hub what is wrong with a request before it is made. */

import { useQuery, type QueryClient } from "@tanstack/react-query";

import { post } from "../../../api/client";
import { asProblem, type FieldError } from "../../../api/problem";
import type { Checked } from "../types";
import type { Draft } from "./draft";
import { changedFields, toRequest } from "./draft";
import { stepOfField, type StepId } from "./steps";
import type { Errors } from "./validation";

const FRESH_MS = 30_000;
const CSR = /-----BEGIN (NEW )?CERTIFICATE REQUEST-----[\s\S]+-----END/;

/** The owner's passphrase is for the request alone; the hub's rule on it is known here. */
const query = (draft: Draft) => {
  const body = { ...toRequest(draft), passphrase: null };
  return {
    queryKey: ["certificate-check", body],
    queryFn: () => post<Checked>("/certificates/check", body),
    staleTime: FRESH_MS,
    retry: false,
  } as const;
};

/** What the hub reads in the request, once a CSR is there to be read. */
export function useChecked(draft: Draft): Checked | undefined {
  const ready = draft.method === "csr" && draft.profileId !== "" && draft.termDays !== "" && CSR.test(draft.csr);
  return useQuery({ ...query(draft), enabled: ready }).data;
}

function byField(findings: readonly FieldError[], step: StepId, draft: Draft): Errors {
  const errors: Record<string, string> = {};
  for (const { field, message } of findings) {
    if (stepOfField(field, draft.method) !== step) continue;
    errors[field] = field in errors ? `${errors[field] ?? ""} ${message}` : message;
  }
  return errors;
}

/** What a stored request may keep, even where a new one could no longer say it. */
const KEPT = ["external_requester", "custom_fields"];

/** The hub's findings about the fields of a step. Where it can't be asked one goes on: it has the last word anyway. */
export async function findingsAt(step: StepId, draft: Draft, before: Draft | null, client: QueryClient): Promise<Errors> {
  if (step === "method" || step === "review") return {};
  const changed = before && changedFields(before, draft);
  const counts = ({ field }: FieldError) => {
    const [name = ""] = field.split(".");
    return !changed || !KEPT.includes(name) || name in changed;
  };
  try {
    const checked = await client.query(query(draft));
    return byField(checked.findings.filter(counts), step, draft);
  } catch (error) {
    return byField(asProblem(error).errors, step, draft);
  }
}
