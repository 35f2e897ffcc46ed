import { useState } from "react";

import { post } from "../../api/client";
import { useMay } from "../../api/session";
import type { BulkResults, CertificateRow } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import type { Selection } from "../../components/grid/selection";
import { useToast } from "../../components/toasts";
import { BulkDialog, type BulkAction } from "./BulkDialog";

/** Statuses on which an action makes sense; the hub has the last word on each certificate. */
const FITS: Readonly<Record<BulkAction, readonly string[]>> = {
  approve: ["Requested", "Declined"],
  decline: ["Requested", "Approved"],
  install: ["Issued", "Downloaded"],
  revoke: ["Issued", "Downloaded"],
};

const LABELS: Readonly<Record<BulkAction, string>> = {
  approve: "Approve",
  decline: "Decline",
  install: "Install",
  revoke: "Revoke",
};

const ACTIONS = ["approve", "decline", "install", "revoke"] as const;

export function BulkActions({ rows, selection }: { rows: readonly CertificateRow[]; selection: Selection }) {
  const may = useMay();
  const toast = useToast();
  const [asking, setAsking] = useState<BulkAction | null>(null);
  const [failed, setFailed] = useState<BulkResults["items"]>([]);
  const chosen = rows.filter((row) => selection.has(String(row.id)));
  if (chosen.length === 0 && failed.length === 0) return null;

  const fitting = (action: BulkAction) => chosen.filter((row) => FITS[action].includes(row.status));
  const run = async (action: BulkAction, extra: { message: string; reason?: string }) => {
    const ids = fitting(action).map((row) => row.id);
    const { items } = await post<BulkResults>("/certificates/bulk", { action, ids, ...extra });
    const done = items.filter((item) => item.done).length;
    setFailed(items.filter((item) => !item.done));
    selection.clear();
    if (done > 0) toast(`${LABELS[action]}: ${done} of ${items.length} done`);
  };

  return (
    <>
      <span className="small muted">{chosen.length} selected</span>
      {ACTIONS.filter((action) => may(`certificates.${action}`) && fitting(action).length > 0).map((action) => (
        <Button
          key={action}
          small
          variant={action === "revoke" ? "danger" : "default"}
          onClick={() => {
            setAsking(action);
          }}
        >
          {LABELS[action]} {fitting(action).length < chosen.length ? fitting(action).length : ""}
        </Button>
      ))}
      {asking && (
        <BulkDialog
          action={asking}
          rows={fitting(asking)}
          run={(extra) => run(asking, extra)}
          onClose={() => {
            setAsking(null);
          }}
        />
      )}
      {failed.length > 0 && (
        <Dialog
          title="Some could not be done"
          onClose={() => {
            setFailed([]);
          }}
        >
          <ul className="stack-s">
            {failed.map((item) => (
              <li key={item.id}>
                <strong>#{item.id}</strong> {item.message}
              </li>
            ))}
          </ul>
        </Dialog>
      )}
    </>
  );
}
