import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { patch, post, remove } from "../../api/client";
import { asProblem } from "../../api/problem";
import { useMay, useSession } from "../../api/session";
import type { Administrator } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { LinkButton } from "../../components/Button";
import { Icon, type IconName } from "../../components/Icon";
import { Menu } from "../../components/Menu";
import { TextField } from "../../forms/fields";

type Deed = "password" | "factors" | "active" | "delete";

function useDeeds(administrator: Administrator): readonly (readonly [Deed, string, IconName])[] {
  const may = useMay();
  const session = useSession();
  const own = administrator.id === session.administrator_id;
  const found: (readonly [Deed, string, IconName])[] = [];
  if (own) return found;
  if (may("administrators.edit") && administrator.type === "standard") found.push(["password", "Set password", "key"]);
  if (may("sign_in.edit")) found.push(["factors", "Reset factors", "renew"]);
  if (may("administrators.edit")) {
    found.push(["active", administrator.active ? "Deactivate" : "Activate", administrator.active ? "stop" : "play"]);
  }
  if (may("administrators.delete")) found.push(["delete", "Delete", "trash"]);
  return found;
}

interface DeedProps {
  administrator: Administrator;
  done: () => Promise<void>;
  onClose: () => void;
}

function PasswordDeed({ administrator, done, onClose }: DeedProps) {
  const [password, setPassword] = useState("");
  return (
    <ActionDialog
      title="Set password"
      confirm="Set password"
      done="Password set"
      disabled={!password}
      run={() => post(`/administrators/${administrator.id}/password`, { password }).then(done)}
      onClose={onClose}
      shownFields={["password"]}
    >
      {(error) => (
        <>
          <p>
            <strong>{administrator.name}</strong> has to change it at the next sign-in. Their sessions end.
          </p>
          <TextField
            label="New password"
            type="password"
            autoComplete="new-password"
            required
            value={password}
            onChange={setPassword}
            error={error ? asProblem(error).of("password") : undefined}
          />
        </>
      )}
    </ActionDialog>
  );
}

function FactorsDeed({ administrator, done, onClose }: DeedProps) {
  return (
    <ActionDialog
      title="Reset second factors"
      confirm="Reset"
      danger
      done="Second factors removed"
      run={() => remove(`/administrators/${administrator.id}/factors`).then(done)}
      onClose={onClose}
    >
      <p>
        Authenticator app, passkeys and recovery codes of <strong>{administrator.name}</strong> are removed. Make sure
        that it is really them who ask for it.
      </p>
    </ActionDialog>
  );
}

function ActiveDeed({ administrator, done, onClose }: DeedProps) {
  const { active, name, id } = administrator;
  return (
    <ActionDialog
      title={active ? "Deactivate administrator" : "Activate administrator"}
      confirm={active ? "Deactivate" : "Activate"}
      danger={active}
      done={active ? "Deactivated" : "Activated"}
      run={() => patch(`/administrators/${id}`, { active: !active }).then(done)}
      onClose={onClose}
    >
      <p>
        <strong>{name}</strong> {active ? "is signed out at once and can't sign in any more." : "can sign in again."}{" "}
        What they did stays in the audit log.
      </p>
    </ActionDialog>
  );
}

function DeleteDeed({ administrator, done, onClose }: DeedProps) {
  const navigate = useNavigate();
  return (
    <ActionDialog
      title="Delete administrator"
      confirm="Delete"
      danger
      done="Deleted"
      run={async () => {
        await remove(`/administrators/${administrator.id}`);
        await navigate("/administrators");
        await done();
      }}
      onClose={onClose}
    >
      <p>
        <strong>{administrator.name}</strong> is gone for good. To keep the account for its history, deactivate it
        instead.
      </p>
    </ActionDialog>
  );
}

const DIALOGS = { password: PasswordDeed, factors: FactorsDeed, active: ActiveDeed, delete: DeleteDeed };

export function AdministratorActions({ administrator }: { administrator: Administrator }) {
  const may = useMay();
  const client = useQueryClient();
  const [asking, setAsking] = useState<Deed | null>(null);
  const deeds = useDeeds(administrator);
  const Dialog = asking && DIALOGS[asking];
  return (
    <>
      {may("administrators.edit") && (
        <LinkButton to={`/administrators/${administrator.id}/edit`} icon="edit">
          Edit
        </LinkButton>
      )}
      {deeds.length > 0 && (
        <Menu label="More">
          {(close) =>
            deeds.map(([deed, label, icon]) => (
              <button
                key={deed}
                type="button"
                className="menu-item"
                onClick={() => {
                  close();
                  setAsking(deed);
                }}
              >
                <Icon name={icon} size={16} />
                {label}
              </button>
            ))
          }
        </Menu>
      )}
      {Dialog && (
        <Dialog
          administrator={administrator}
          done={() => client.invalidateQueries({ queryKey: ["administrators"] })}
          onClose={() => {
            setAsking(null);
          }}
        />
      )}
    </>
  );
}
