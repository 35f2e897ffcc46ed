import { useQuery } from "@tanstack/react-query";

import { get } from "../api/client";
import { useMay } from "../api/session";
import type { GeneralSettings } from "../api/types";
import { setDateFormat } from "../components/time";

/** Dates are written as the installation's settings say; until those are read, as ISO has them. */
export function useDateFormat(): void {
  const may = useMay();
  const { data } = useQuery({
    queryKey: ["settings", "general"],
    queryFn: ({ signal }) =>
      get<GeneralSettings>("/settings/general", {}, signal).then((settings) => {
        setDateFormat(settings.date_format);
        return settings;
      }),
    enabled: may("settings.view"),
    staleTime: Infinity,
  });
  // Saving the setting puts it into the cache without a call.
  if (data) setDateFormat(data.date_format);
}
