import { useEffect } from "react";
import { Link, useMatches } from "react-router";

export interface CrumbHandle {
  crumb: string | ((parameters: Record<string, string | undefined>) => string);
}

function labelOf(handle: unknown, parameters: Record<string, string | undefined>): string | null {
  const crumb = (handle as CrumbHandle | undefined)?.crumb;
  return typeof crumb === "function" ? crumb(parameters) : (crumb ?? null);
}

/** Where one is, from the route table; it names the browser's tab as well. */
export function Crumbs() {
  const found = useMatches()
    .map((match) => ({ to: match.pathname, label: labelOf(match.handle, match.params) }))
    .filter((crumb) => crumb.label !== null);
  const here = found.at(-1)?.label ?? "";

  useEffect(() => {
    document.title = here ? `${here} · Certwright` : "Certwright";
  }, [here]);

  return (
    <nav aria-label="Where you are">
      <ol className="crumbs">
        {found.map((crumb, index) => (
          <li key={crumb.to}>
            {index < found.length - 1 ? (
              <Link to={crumb.to}>{crumb.label}</Link>
            ) : (
              <span aria-current="page">{crumb.label}</span>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}
