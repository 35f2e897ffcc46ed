import { useQuery } from "@tanstack/react-query";

import { get } from "../../api/client";
import type { Privilege } from "../../api/types";
import { Loaded } from "../../components/Loaded";
import { Check } from "../../forms/fields";
import { privilegesWithin, type Role } from "./grants";

export function usePrivileges() {
  return useQuery({
    queryKey: ["administrators", "privileges"],
    queryFn: () => get<{ items: Privilege[] }>("/administrators/privileges").then((list) => list.items),
    staleTime: Infinity,
  });
}

interface Props {
  roles: readonly Role[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}

/** Only what one has oneself, and what the chosen roles may hold. */
export function PrivilegesEditor({ roles, chosen, onChange }: Props) {
  const query = usePrivileges();
  return (
    <Loaded query={query}>
      {(all) => {
        const offered = privilegesWithin(all, roles);
        return (
          <fieldset className="privileges" aria-label="Privileges">
            {offered.map((privilege) => (
              <Check
                key={privilege.name}
                label={<strong>{privilege.title}</strong>}
                hint={privilege.description}
                checked={chosen.includes(privilege.name)}
                onChange={(checked) => {
                  const kept = chosen.filter((name) => name !== privilege.name);
                  onChange(checked ? [...kept, privilege.name] : kept);
                }}
              />
            ))}
            {offered.length === 0 && <p className="muted">You have no privilege to give to these roles.</p>}
          </fieldset>
        );
      }}
    </Loaded>
  );
}
