import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { post } from "../../../api/client";
import type { Factors } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { Badge } from "../../../components/Badge";
import { Button } from "../../../components/Button";
import { Panel } from "../../../components/Panel";

const FEW = 3;

/** Recovery codes, once there is something to recover from. */
export function CodesPanel({ factors, onCodes }: { factors: Factors; onCodes: (codes: readonly string[]) => void }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  if (factors.factors.length === 0) return null;
  const left = factors.recovery_codes_left;
  return (
    <Panel
      title="Recovery codes"
      actions={
        <Button
          small
          icon="renew"
          onClick={() => {
            setAsking(true);
          }}
        >
          New codes
        </Button>
      }
    >
      <div className="stack-s">
        <div>
          <Badge tone={left < FEW ? "warn" : "ok"}>{`${left} left`}</Badge>
        </div>
        <p className="muted">Each signs you in once when the second factor is lost.</p>
      </div>
      {asking && (
        <ActionDialog
          title="Make new recovery codes"
          confirm="Make new codes"
          run={async () => {
            const answer = await post<{ recovery_codes: string[] }>("/profile/recovery-codes");
            await client.invalidateQueries({ queryKey: ["profile"] });
            onCodes(answer.recovery_codes);
          }}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>The old ones no longer work then.</p>
        </ActionDialog>
      )}
    </Panel>
  );
}
