import { QueryClient } from "@tanstack/react-query";

import { asProblem } from "./problem";

const GIVE_UP_AFTER = 2;

/** What the hub has refused would be refused again; what did not arrive is worth another try. */
const retry = (failures: number, error: unknown): boolean => {
  const { status } = asProblem(error);
  return failures < GIVE_UP_AFTER && (status === 0 || status === 503);
};

export const createQueryClient = (): QueryClient =>
  new QueryClient({ defaultOptions: { queries: { retry, staleTime: 15_000 } } });
