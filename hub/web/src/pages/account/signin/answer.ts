/** What an identity provider's answer left in the address (its fragment goes to no server). */

import { Problem } from "../../../api/problem";

export interface ProviderAnswer {
  code: string | null;
  problem: Problem | null;
}

export function readAnswer(hash: string): ProviderAnswer {
  const found = new URLSearchParams(hash.replace(/^#/, ""));
  const error = found.get("error");
  if (!error) return { code: found.get("code"), problem: null };
  const document = {
    title: "Not signed in",
    detail: found.get("detail") ?? "",
    code: error,
    request_id: found.get("request_id") ?? "",
  };
  return { code: null, problem: new Problem(document, 0) };
}
