import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { get } from "../../api/client";
import type { Page } from "../../api/lists";
import { useMay } from "../../api/session";
import type { DcvRow, DomainRow } from "../../api/types";
import { DcvState } from "../validation/DcvState";

const LIMIT = 500;

/** One question for a whole list of domains; whoever has more than this sees them on their own page. */
export function useValidations(enabled = true) {
  return useQuery({
    queryKey: ["dcv", "choices"],
    queryFn: ({ signal }) => get<Page<DcvRow>>("/dcv", { limit: LIMIT }, signal).then((page) => page.items),
    enabled,
  });
}

/** Validation is of the name without a wildcard: it covers all below. */
export const validatedName = (domain: DomainRow): string => domain.name.replace(/^\*\./, "");

/** Where the validation of a delegated domain is. */
export function DomainValidation({ domain }: { domain: DomainRow }) {
  const may = useMay();
  const query = useValidations(may("dcv.view"));
  if (domain.name === "*") return <span className="muted">Private trust only</span>;
  const found = query.data?.find(
    (item) => item.domain === validatedName(domain) && item.organization_id === domain.organization_id,
  );
  if (found) {
    return (
      <Link to={`/domain-validation/${found.id}`}>
        <DcvState state={found.state} />
      </Link>
    );
  }
  if (!query.data) return <span className="muted">—</span>;
  return <DcvState state="not_started" />;
}
