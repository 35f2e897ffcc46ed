import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { post } from "../../api/client";
import { asProblem } from "../../api/problem";
import { useSession } from "../../api/session";
import type { TokenCreated } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Check, Select } from "../../forms/fields";
import { OrganizationPicker } from "../../forms/pickers";
import { kindWords } from "./vocabulary";

const LIFETIMES = [
  { value: "1", label: "1 hour" },
  { value: "24", label: "1 day" },
  { value: "168", label: "1 week" },
  { value: "720", label: "30 days" },
];
const KINDS = ["network", "pks"];

export function TokenForm({ onCreated, onClose }: { onCreated: (token: TokenCreated, kind: string) => void; onClose: () => void }) {
  const client = useQueryClient();
  const session = useSession();
  const mayServeAll = session.grants.some((grant) => grant.role === "MRAO");
  const [kinds, setKinds] = useState<readonly string[]>(["network"]);
  const [organization, setOrganization] = useState("");
  const [lifetime, setLifetime] = useState("24");
  const run = async () => {
    const created = await post<TokenCreated>("/enrollment-tokens", {
      kinds,
      organization_id: organization ? Number(organization) : null,
      lifetime_hours: Number(lifetime),
    });
    await client.invalidateQueries({ queryKey: ["enrollment-tokens"] });
    onCreated(created, kinds[0] ?? "network");
  };
  return (
    <ActionDialog
      title="Create enrollment token"
      confirm="Create token"
      disabled={kinds.length === 0 || (!mayServeAll && !organization)}
      run={run}
      onClose={onClose}
    >
      {(error) => (
        <>
          <fieldset className="choices">
            <legend className="field-label">What the agent may be</legend>
            {KINDS.map((kind) => (
              <Check
                key={kind}
                label={kindWords(kind)}
                checked={kinds.includes(kind)}
                onChange={(checked) => {
                  setKinds(KINDS.filter((item) => (item === kind ? checked : kinds.includes(item))));
                }}
              />
            ))}
          </fieldset>
          <OrganizationPicker
            value={organization}
            onChange={setOrganization}
            empty={mayServeAll ? "All organizations" : "Choose…"}
            error={error ? asProblem(error).of("organization_id") : undefined}
          />
          <Select
            label="Valid for"
            value={lifetime}
            onChange={setLifetime}
            options={LIFETIMES}
            hint="The agent has to be enrolled within this time; afterwards its own identity counts."
          />
        </>
      )}
    </ActionDialog>
  );
}
