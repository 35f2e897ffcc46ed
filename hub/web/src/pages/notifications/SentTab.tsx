import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { get, post } from "../../api/client";
import { useMay } from "../../api/session";
import { ActionDialog } from "../../components/ActionDialog";
import { Status } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { DialogButton } from "../../components/DialogButton";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { Loaded } from "../../components/Loaded";
import { Facts } from "../../components/Panel";
import { Time } from "../../components/Time";
import { ROOT } from "./queries";
import type { Sent, SentDetail } from "./types";
import { STATES } from "./vocabulary";

function Message({ id, onClose }: { id: number; onClose: () => void }) {
  const query = useQuery({ queryKey: [ROOT, "sent", id], queryFn: () => get<SentDetail>(`/notifications/${id}`) });
  return (
    <Dialog title="Notification" onClose={onClose} wide>
      <Loaded query={query}>
        {(detail) => (
          <>
            <Facts
              items={[
                ["Subject", detail.subject],
                ["Status", <Status key="state" value={detail.state} />],
                ["Reason", detail.reason],
                ["Message", detail.message],
                ["Answer", detail.receipt],
                ["Attempts", detail.attempts],
                ["Sent", detail.sent_at ? <Time key="sent" value={detail.sent_at} /> : "Not yet"],
              ]}
            />
            <pre className="mail-text">{detail.body}</pre>
          </>
        )}
      </Loaded>
    </Dialog>
  );
}

function Subject({ row }: { row: Sent }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button
        variant="link"
        onClick={() => {
          setOpen(true);
        }}
      >
        {row.subject}
      </Button>
      {open && (
        <Message
          id={row.id}
          onClose={() => {
            setOpen(false);
          }}
        />
      )}
    </>
  );
}

function Resend({ row }: { row: Sent }) {
  const client = useQueryClient();
  const may = useMay();
  const able = row.channel_kind !== "console" && row.state !== "Queued" && row.state !== "Sending";
  if (!able || !may("notifications.resend")) return null;
  return (
    <DialogButton small variant="link" label="Resend">
      {(close) => (
        <ActionDialog
          title="Send again"
          confirm="Send again"
          done="Queued"
          run={async () => {
            await post(`/notifications/${row.id}/resend`);
            await client.invalidateQueries({ queryKey: [ROOT] });
          }}
          onClose={close}
        >
          <p>
            <strong>{row.subject}</strong> goes to {row.recipient || "the channel"} as a new message.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

const COLUMNS: readonly GridColumn<Sent>[] = [
  { name: "created_at", label: "Created", kind: "time", sortable: false, width: 170 },
  { name: "state", label: "Status", kind: "enum", choices: STATES, sortable: false, width: 130, render: (row) => <Status value={row.state} /> },
  { name: "subject", label: "Subject", sortable: false, width: 360, render: (row) => <Subject row={row} /> },
  { name: "id", label: "Actions", filterable: false, width: 120, render: (row) => <Resend row={row} /> },
  { name: "channel_kind", label: "Way", sortable: false, width: 110 },
  { name: "recipient", label: "Recipient", sortable: false, width: 220, render: (row) => row.recipient || row.administrator || "" },
  { name: "reason", label: "Reason", sortable: false, width: 140 },
  { name: "attempts", label: "Attempts", kind: "int", sortable: false, width: 90 },
  { name: "organization_name", label: "Organization", sortable: false },
  { name: "certificate_id", label: "Certificate", kind: "int", sortable: false, width: 100 },
  { name: "type", label: "Type", sortable: false, hidden: true },
  { name: "message", label: "Message", sortable: false, hidden: true, width: 300 },
  { name: "due_at", label: "Due", kind: "time", sortable: false, hidden: true },
  { name: "sent_at", label: "Sent", kind: "time", sortable: false, hidden: true },
];

const rowKey = (row: Sent) => String(row.id);

export function SentTab() {
  return (
    <Grid
      name="notifications"
      label="notifications"
      root={ROOT}
      path="/notifications"
      columns={COLUMNS}
      rowKey={rowKey}
      defaultSort="-id"
      searchLabel="Search subjects and recipients"
      searchFrom={3}
      empty={{ title: "Nothing was sent yet", icon: "bell", text: "What rules make of events is here, with what became of it." }}
    />
  );
}
