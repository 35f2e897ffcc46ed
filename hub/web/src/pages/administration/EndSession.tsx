import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { remove } from "../../api/client";
import type { SessionRow } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Button } from "../../components/Button";

/** Ends a session: one's own under `/profile/sessions`, anybody's under `/sessions`. */
export function EndSession({ session, path }: { session: SessionRow; path: string }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button
        small
        variant="link"
        onClick={() => {
          setAsking(true);
        }}
      >
        End
      </Button>
      {asking && (
        <ActionDialog
          title="End session"
          confirm="End session"
          danger
          done="Session ended"
          run={async () => {
            await remove(`${path}/${session.id}`);
            await client.invalidateQueries({ queryKey: ["sessions"] });
          }}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>
            <strong>{session.name}</strong> at <code>{session.remote}</code> is signed out at once.
          </p>
        </ActionDialog>
      )}
    </>
  );
}
