import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { get, remove } from "../../api/client";
import { useMay } from "../../api/session";
import { ActionDialog } from "../../components/ActionDialog";
import { Dialog } from "../../components/Dialog";
import { DialogButton } from "../../components/DialogButton";
import { Loaded } from "../../components/Loaded";
import { FreezeDialog } from "./FreezeDialog";
import type { Freeze, Window } from "./types";
import { WindowDialog } from "./WindowDialog";

type Kind = "freezes" | "windows";

const NOUNS: Readonly<Record<Kind, string>> = { freezes: "freeze", windows: "maintenance window" };

/** Reads an entry in full before it is edited. */
function Editing({ kind, id, onClose }: { kind: Kind; id: number; onClose: () => void }) {
  const query = useQuery({
    queryKey: ["renewals", kind, id],
    queryFn: () => get<Freeze | Window>(`/renewals/${kind}/${id}`),
    refetchOnMount: "always",
    gcTime: 0,
  });
  const dialog = (entry: Freeze | Window): ReactNode =>
    "starts" in entry ? <FreezeDialog freeze={entry} onClose={onClose} /> : <WindowDialog window={entry} onClose={onClose} />;
  if (query.data) return dialog(query.data);
  return (
    <Dialog title={`Edit ${NOUNS[kind]}`} onClose={onClose}>
      <Loaded query={query}>{() => null}</Loaded>
    </Dialog>
  );
}

export function EntryActions({ kind, id, name }: { kind: Kind; id: number; name: string }) {
  const client = useQueryClient();
  if (!useMay()("renewals.plan")) return null;
  const run = async () => {
    await remove(`/renewals/${kind}/${id}`);
    await client.invalidateQueries({ queryKey: ["renewals"] });
  };
  return (
    <span className="row">
      <DialogButton label="Edit" small>
        {(close) => <Editing kind={kind} id={id} onClose={close} />}
      </DialogButton>
      <DialogButton label="Delete" small variant="danger">
        {(close) => (
          <ActionDialog title={`Delete ${NOUNS[kind]}`} confirm="Delete" danger run={run} done="Deleted" onClose={close}>
            <p>
              <strong>{name}</strong> is removed, and the renewals that it moved are planned again.
            </p>
          </ActionDialog>
        )}
      </DialogButton>
    </span>
  );
}
