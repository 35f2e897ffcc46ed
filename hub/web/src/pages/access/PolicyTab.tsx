import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { get, put } from "../../api/client";
import { useMay } from "../../api/session";
import { Loaded } from "../../components/Loaded";
import { Panel } from "../../components/Panel";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useToast } from "../../components/toasts";
import { Check } from "../../forms/fields";

interface Policy {
  second_factor_roles: string[];
}

const ROLES = [
  ["MRAO", "Of the whole installation"],
  ["RAO", "Of an organization"],
  ["DRAO", "Of a department"],
] as const;

const KEY = ["access", "policy"];

export function PolicyTab() {
  const may = useMay();
  const client = useQueryClient();
  const toast = useToast();
  const query = useQuery({ queryKey: KEY, queryFn: ({ signal }) => get<Policy>("/sign-in-policy", {}, signal) });
  const save = useMutation({
    mutationFn: (policy: Policy) => put("/sign-in-policy", policy),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: KEY });
      toast("Saved");
    },
  });
  return (
    <Panel
      title="Roles that need a second factor"
      foot="Nobody is locked out: who has none yet sets one up at the next sign-in."
    >
      <Loaded query={query}>
        {(policy) => (
          <div className="stack-s">
            {ROLES.map(([role, hint]) => (
              <Check
                key={role}
                label={role}
                hint={hint}
                disabled={!may("sign_in.edit") || save.isPending}
                checked={policy.second_factor_roles.includes(role)}
                onChange={(checked) => {
                  const kept = policy.second_factor_roles.filter((item) => item !== role);
                  save.mutate({ second_factor_roles: checked ? [...kept, role] : kept });
                }}
              />
            ))}
            <ProblemNotice error={save.error} />
          </div>
        )}
      </Loaded>
    </Panel>
  );
}
