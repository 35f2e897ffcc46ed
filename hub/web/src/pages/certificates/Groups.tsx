import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";

import { get } from "../../api/client";
import type { Dashboard, Share } from "./types";

/** What certificates can be grouped by, and where the dashboard's figures have it. */
const GROUPS: readonly { id: string; label: string; shares: (figures: Dashboard) => readonly Share[] }[] = [
  { id: "status", label: "Status", shares: (figures) => figures.statuses },
  { id: "organization", label: "Organization", shares: (figures) => figures.organizations },
  { id: "profile", label: "Profile", shares: (figures) => figures.profiles },
  { id: "type", label: "Type", shares: (figures) => figures.types },
  { id: "sub-type", label: "Sub type", shares: (figures) => figures.validation_levels },
  { id: "authority", label: "Issuer", shares: (figures) => figures.authorities },
  { id: "term", label: "Term", shares: (figures) => figures.terms },
  { id: "key", label: "Key algorithm", shares: (figures) => figures.key_algorithms },
  { id: "key-size", label: "Key size", shares: (figures) => figures.key_strengths },
  { id: "signature", label: "Signature algorithm", shares: (figures) => figures.signature_algorithms },
];

const PARAMETER = "group";

/** By what the list is grouped; part of the address. */
export function GroupSelect() {
  const [parameters, setParameters] = useSearchParams();
  return (
    <label className="group-by">
      <span className="small muted">Group by</span>
      <select
        className="input"
        value={parameters.get(PARAMETER) ?? ""}
        onChange={(event) => {
          const next = new URLSearchParams(parameters);
          next.delete("filter");
          if (event.target.value) next.set(PARAMETER, event.target.value);
          else next.delete(PARAMETER);
          setParameters(next, { replace: true });
        }}
      >
        <option value="">Nothing</option>
        {GROUPS.map((group) => (
          <option key={group.id} value={group.id}>
            {group.label}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The groups with their counts; one that is pressed narrows the list to itself. */
export function Groups() {
  const [parameters, setParameters] = useSearchParams();
  const group = GROUPS.find((item) => item.id === parameters.get(PARAMETER));
  const figures = useQuery({
    queryKey: ["dashboard", "figures"],
    queryFn: ({ signal }) => get<Dashboard>("/dashboard", {}, signal),
    enabled: group !== undefined,
  });
  if (!group || !figures.data) return null;
  const now = parameters.getAll("filter").join("\n");
  const shares = group.shares(figures.data);
  if (shares.length === 0) return <p className="muted">There is nothing to group yet.</p>;
  return (
    <div className="groups" role="group" aria-label={`Groups by ${group.label.toLowerCase()}`}>
      {shares.map((share) => {
        const filters = share.filters ?? [];
        const pressed = filters.length > 0 && filters.join("\n") === now;
        return (
          <button
            key={share.label}
            type="button"
            className="group-chip"
            aria-pressed={pressed}
            disabled={filters.length === 0}
            onClick={() => {
              const next = new URLSearchParams(parameters);
              next.delete("filter");
              next.delete("view");
              if (!pressed) for (const filter of filters) next.append("filter", filter);
              setParameters(next, { replace: true });
            }}
          >
            {share.label || "None"} <span className="num muted">{share.count.toLocaleString("en")}</span>
          </button>
        );
      })}
    </div>
  );
}
