import { useQuery } from "@tanstack/react-query";

import { get } from "../../api/client";
import type { DcvMethods, DnsWriter } from "../../api/types";

export function useMethods() {
  return useQuery({
    queryKey: ["dcv", "methods"],
    queryFn: () => get<DcvMethods>("/dcv/methods"),
    staleTime: Infinity,
  });
}

/** A method's name for people. */
export function useMethodWords(): (name: string) => string {
  const { data } = useMethods();
  return (name) => data?.methods.find((method) => method.name === name)?.display_name ?? name.replaceAll("_", " ");
}

export function useWriters() {
  return useQuery({
    queryKey: ["dcv", "writers"],
    queryFn: () => get<{ items: DnsWriter[] }>("/dcv/writers").then((list) => list.items),
  });
}
