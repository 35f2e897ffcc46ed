import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";

import { fetchPage, type ListParameters } from "../../api/lists";

/** Pages of a list, read as they are scrolled to. Live events refresh them; see api/events. */
export function useGridRows<Row>(root: string, path: string, parameters: ListParameters) {
  const query = useInfiniteQuery({
    queryKey: [root, "list", path, parameters],
    queryFn: ({ pageParam, signal }) => fetchPage<Row>(path, parameters, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: Infinity,
    refetchOnMount: "always",
    placeholderData: keepPreviousData,
  });
  const pages = query.data?.pages ?? [];
  return {
    query,
    rows: pages.flatMap((page) => page.items),
    total: pages.at(-1)?.total ?? 0,
    totalExact: pages.at(-1)?.total_exact ?? true,
  };
}
