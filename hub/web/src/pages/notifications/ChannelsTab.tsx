import { useQueryClient } from "@tanstack/react-query";

import { post, remove } from "../../api/client";
import { useMay } from "../../api/session";
import { ActionDialog } from "../../components/ActionDialog";
import { Badge } from "../../components/Badge";
import { DialogButton } from "../../components/DialogButton";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { useToast } from "../../components/toasts";
import { ChannelDialog } from "./ChannelDialog";
import { ROOT, useChannelKinds } from "./queries";
import type { Channel, Tried } from "./types";

export function AddChannel() {
  return (
    <DialogButton variant="primary" icon="plus" label="Add channel">
      {(close) => <ChannelDialog onClose={close} />}
    </DialogButton>
  );
}

function TestButton({ row }: { row: Channel }) {
  const client = useQueryClient();
  const toast = useToast();
  return (
    <DialogButton small variant="link" label="Test">
      {(close) => (
        <ActionDialog
          title="Test channel"
          confirm="Send a test"
          run={async () => {
            const tried = await post<Tried>(`/notifications/channels/${row.id}/test`);
            await client.invalidateQueries({ queryKey: [ROOT] });
            if (!tried.ok) throw new Error(tried.message);
            toast(`It works: ${tried.message}`);
          }}
          onClose={close}
        >
          <p>
            A short test goes through <strong>{row.name}</strong>.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

function RemoveButton({ row }: { row: Channel }) {
  const client = useQueryClient();
  return (
    <DialogButton small variant="link" label="Delete">
      {(close) => (
        <ActionDialog
          title="Delete channel"
          confirm="Delete"
          danger
          done="Channel deleted"
          run={async () => {
            await remove(`/notifications/channels/${row.id}`);
            await client.invalidateQueries({ queryKey: [ROOT] });
          }}
          onClose={close}
        >
          <p>
            <strong>{row.name}</strong> and its secrets are removed. One that a rule sends through can&rsquo;t be.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

function Actions({ row }: { row: Channel }) {
  const may = useMay();
  if (!may("notification_channels.edit")) return null;
  return (
    <>
      <TestButton row={row} />{" "}
      <DialogButton small variant="link" label="Edit">
        {(close) => <ChannelDialog channel={row} onClose={close} />}
      </DialogButton>{" "}
      <RemoveButton row={row} />
    </>
  );
}

function Kind({ name }: { name: string }) {
  const { data } = useChannelKinds();
  return <>{data?.find((item) => item.kind === name)?.display_name ?? name}</>;
}

const COLUMNS: readonly GridColumn<Channel>[] = [
  { name: "name", label: "Name", width: 220 },
  { name: "kind", label: "Kind", sortable: false, width: 150, render: (row) => <Kind name={row.kind} /> },
  { name: "id", label: "Actions", sortable: false, filterable: false, width: 240, render: (row) => <Actions row={row} /> },
  { name: "organization_name", label: "For", sortable: false, width: 200, render: (row) => row.organization_name ?? "All organizations" },
  { name: "enabled", label: "Active", kind: "bool", sortable: false, width: 90, render: (row) => (row.enabled ? <Badge tone="ok">Active</Badge> : <Badge tone="idle">Off</Badge>) },
  { name: "problem", label: "Last use", sortable: false, width: 300, render: (row) => (row.problem ? <Badge tone="bad">{row.problem}</Badge> : <span className="muted">No problem known</span>) },
  { name: "created_at", label: "Added", kind: "time", sortable: false },
  { name: "created_by", label: "Added by", sortable: false },
];

const rowKey = (row: Channel) => String(row.id);

export function ChannelsTab() {
  return (
    <Grid
      name="notification-channels"
      label="channels"
      root={ROOT}
      path="/notifications/channels"
      columns={COLUMNS}
      rowKey={rowKey}
      defaultSort="name"
      searchLabel="Search channels"
      empty={{
        title: "No channels yet",
        icon: "external",
        text: "Mail goes through the hub’s own mail server. A channel is another way: a webhook, Slack, Teams, Mattermost, or a mail server of an organization’s own.",
      }}
    />
  );
}
