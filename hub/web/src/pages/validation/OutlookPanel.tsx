import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { get } from "../../api/client";
import type { DcvOutlook } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Loaded } from "../../components/Loaded";
import { Facts, Panel } from "../../components/Panel";
import { Expiry } from "../../components/Time";
import { TextField } from "../../forms/fields";

/** Whether a certificate of a coming day would find the domain validated. */
export function OutlookPanel({ id }: { id: number }) {
  const [day, setDay] = useState("");
  const at = day ? new Date(`${day}T12:00:00`).toISOString() : undefined;
  const query = useQuery({
    queryKey: ["dcv", "outlook", id, at],
    queryFn: ({ signal }) => get<DcvOutlook>(`/dcv/${id}/outlook`, { at }, signal),
  });
  return (
    <Panel title="Outlook" foot="If nothing happens until then.">
      <div className="stack">
        <TextField label="A certificate issued on" type="date" hint="Empty: today." value={day} onChange={setDay} />
        <Loaded query={query}>
          {(outlook) => (
            <Facts
              items={[
                [
                  "Result",
                  outlook.valid ? (
                    <Badge key="result" tone="ok">
                      Finds it validated
                    </Badge>
                  ) : (
                    <Badge key="result" tone="bad">
                      Would be refused
                    </Badge>
                  ),
                ],
                ["Validation ends", outlook.until && <Expiry value={outlook.until} />],
                ["Days left by then", outlook.until && String(outlook.days_left)],
                ["Reuse limit", `${outlook.limit_days} days`],
              ]}
            />
          )}
        </Loaded>
      </div>
    </Panel>
  );
}
