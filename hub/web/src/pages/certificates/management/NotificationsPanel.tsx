import { useQuery, useQueryClient } from "@tanstack/react-query";

import { get, post } from "../../../api/client";
import type { Page } from "../../../api/lists";
import { useMay } from "../../../api/session";
import type { Certificate } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { Badge, Status } from "../../../components/Badge";
import { DialogButton } from "../../../components/DialogButton";
import { LinkButton } from "../../../components/Button";
import { PlainTable } from "../../../components/PlainTable";
import { Time } from "../../../components/Time";
import { useCertificateCall } from "../actions/useCertificateAction";
import type { Sent } from "../types";

const SHOWN = 20;
const ON_ITS_WAY = ["Queued", "Sending"];

function Suspend({ certificate }: { certificate: Certificate }) {
  const { send } = useCertificateCall(certificate);
  const suspended = certificate.notifications_suspended;
  return (
    <DialogButton small label={suspended ? "Resume" : "Suspend"} icon={suspended ? "play" : "stop"}>
      {(close) => (
        <ActionDialog
          title={suspended ? "Resume notifications" : "Suspend notifications"}
          confirm={suspended ? "Resume" : "Suspend"}
          run={() => send("put", "notifications", { suspended: !suspended })}
          done={suspended ? "Notifications go out again" : "Notifications are suspended"}
          onClose={close}
        >
          <p>
            {suspended
              ? "Notifications about this certificate go out again. What was held back is not sent later."
              : "Nobody is told anything about this certificate until notifications are resumed, not even that it expires."}
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

function Resend({ row }: { row: Sent }) {
  const client = useQueryClient();
  return (
    <DialogButton small variant="link" label="Resend">
      {(close) => (
        <ActionDialog
          title="Send again"
          confirm="Send again"
          done="Queued"
          run={async () => {
            await post(`/notifications/${row.id}/resend`);
            await client.invalidateQueries({ queryKey: ["notifications"] });
          }}
          onClose={close}
        >
          <p>
            <strong className="breakable">{row.subject}</strong> goes to {row.recipient || "the channel"} as a new message.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

/** What was told about this certificate to whom, and whether anything is. */
export function NotificationsPanel({ certificate }: { certificate: Certificate }) {
  const may = useMay();
  const reads = may("notifications.view");
  const sent = useQuery({
    queryKey: ["notifications", "certificate", certificate.id],
    queryFn: ({ signal }) =>
      get<Page<Sent>>(
        "/notifications",
        { filter: [`certificate_id:eq:${certificate.id}`], sort: "-id", limit: SHOWN },
        signal,
      ),
    enabled: reads,
  });
  const rows = sent.data?.items ?? [];
  const resends = may("notifications.resend");
  return (
    <PlainTable
      title="Notifications"
      empty={
        certificate.notifications_suspended
          ? "They are suspended: nobody is told anything about this certificate."
          : reads
            ? "Nobody was told anything about this certificate yet."
            : "They go out as the rules say."
      }
      rows={rows}
      rowKey={(row) => String(row.id)}
      actions={
        <>
          {certificate.notifications_suspended ? <Badge tone="warn">Suspended</Badge> : <Badge tone="ok">On</Badge>}
          {may("certificates.edit") && <Suspend certificate={certificate} />}
          {reads && (
            <LinkButton small variant="quiet" to={`/notifications?tab=sent&filter=certificate_id:eq:${certificate.id}`}>
              All
            </LinkButton>
          )}
        </>
      }
      columns={[
        { label: "Subject", cell: (row) => <span className="breakable">{row.subject}</span> },
        { label: "To", cell: (row) => <span className="breakable">{row.recipient || row.administrator || row.channel_kind}</span> },
        { label: "Status", cell: (row) => <Status value={row.state} /> },
        { label: "Date", cell: (row) => <Time value={row.sent_at ?? row.created_at} show="relative" /> },
        {
          label: "Message",
          cell: (row) => <span className="breakable">{[row.reason, row.message].filter(Boolean).join(": ")}</span>,
        },
        {
          label: "",
          cell: (row) =>
            resends && row.channel_kind !== "console" && !ON_ITS_WAY.includes(row.state) ? <Resend row={row} /> : null,
        },
      ]}
    />
  );
}
