import { useQuery } from "@tanstack/react-query";

import { get } from "../../../api/client";
import type { PrivateCa, PrivateCaOptions } from "../../../api/types";

export function usePrivateCas() {
  return useQuery({
    queryKey: ["private-cas", "list"],
    queryFn: () => get<{ items: PrivateCa[]; requests: PrivateCa[] }>("/private-cas"),
  });
}

export function useCaOptions() {
  return useQuery({
    queryKey: ["private-cas", "options"],
    queryFn: () => get<PrivateCaOptions>("/private-cas/options"),
  });
}
