import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { get } from "../../../api/client";
import type { Factors } from "../../../api/types";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import { Loaded } from "../../../components/Loaded";
import { Panel } from "../../../components/Panel";
import { PasswordDialog } from "../PasswordDialog";
import { RecoveryCodes } from "../RecoveryCodes";
import { AppPanel } from "./AppPanel";
import { CodesPanel } from "./CodesPanel";
import { PasskeysPanel } from "./PasskeysPanel";

function PasswordPanel() {
  const [changing, setChanging] = useState(false);
  return (
    <Panel
      title="Password"
      actions={
        <Button
          small
          icon="edit"
          onClick={() => {
            setChanging(true);
          }}
        >
          Change password
        </Button>
      }
    >
      <p className="muted">Changing it ends your other sessions.</p>
      {changing && (
        <PasswordDialog
          onClose={() => {
            setChanging(false);
          }}
        />
      )}
    </Panel>
  );
}

/** Password, second factors, and the codes for when they are lost. */
export function SecurityTab() {
  const [codes, setCodes] = useState<readonly string[]>([]);
  const query = useQuery({
    queryKey: ["profile", "factors"],
    queryFn: ({ signal }) => get<Factors>("/profile/factors", {}, signal),
  });
  return (
    <Loaded query={query}>
      {(factors) => (
        <div className="columns">
          <div className="stack">
            <AppPanel factors={factors} onCodes={setCodes} />
            <CodesPanel factors={factors} onCodes={setCodes} />
          </div>
          <div className="stack">
            <PasskeysPanel onCodes={setCodes} />
            <PasswordPanel />
          </div>
          {codes.length > 0 && (
            <Dialog
              title="Recovery codes"
              sticky
              onClose={() => {
                setCodes([]);
              }}
            >
              <RecoveryCodes
                codes={codes}
                onDone={() => {
                  setCodes([]);
                }}
              />
            </Dialog>
          )}
        </div>
      )}
    </Loaded>
  );
}
