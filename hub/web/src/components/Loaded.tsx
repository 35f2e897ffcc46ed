import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ProblemNotice } from "./ProblemNotice";

/** What was read, or a placeholder while it is read, or why it could not be. Stale data stay in sight. */
export function Loaded<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <div className="stack" aria-busy="true" aria-label="Loading">
      <span className="skeleton skeleton-block" />
      <span className="skeleton skeleton-block" />
    </div>
  );
}
