import { useQueryClient } from "@tanstack/react-query";

import { remove } from "../../api/client";
import { useMay } from "../../api/session";
import { ActionDialog } from "../../components/ActionDialog";
import { Badge } from "../../components/Badge";
import { DialogButton } from "../../components/DialogButton";
import type { GridColumn } from "../../components/grid/columns";
import { Grid } from "../../components/grid/Grid";
import { ROOT, useTypes } from "./queries";
import { RuleDialog } from "./RuleDialog";
import type { RuleRow } from "./types";
import { digestText, recipientsText } from "./vocabulary";

export function AddRule() {
  return (
    <DialogButton variant="primary" icon="plus" label="Add rule">
      {(close) => <RuleDialog onClose={close} />}
    </DialogButton>
  );
}

function RemoveButton({ row }: { row: RuleRow }) {
  const client = useQueryClient();
  return (
    <DialogButton small variant="link" label="Delete">
      {(close) => (
        <ActionDialog
          title="Delete notification rule"
          confirm="Delete"
          danger
          done="Rule deleted"
          run={async () => {
            await remove(`/notifications/rules/${row.id}`);
            await client.invalidateQueries({ queryKey: [ROOT] });
          }}
          onClose={close}
        >
          <p>
            Nobody is told by <strong>{row.name}</strong> any more. What it has queued already is sent.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

function Actions({ row }: { row: RuleRow }) {
  const may = useMay();
  if (!may("notifications.edit")) return null;
  return (
    <>
      <DialogButton small variant="link" label="Edit">
        {(close) => <RuleDialog rule={row} onClose={close} />}
      </DialogButton>{" "}
      <RemoveButton row={row} />
    </>
  );
}

function TypeTitle({ name }: { name: string }) {
  const { data } = useTypes();
  return <>{data?.types.find((item) => item.name === name)?.title ?? name}</>;
}

const place = (row: RuleRow): string =>
  row.organization_name ? [row.organization_name, row.department_name].filter(Boolean).join(" / ") : "All organizations";

const COLUMNS: readonly GridColumn<RuleRow>[] = [
  { name: "name", label: "Name", width: 240 },
  { name: "type", label: "Notification type", width: 230, render: (row) => <TypeTitle name={row.type} /> },
  { name: "enabled", label: "Active", kind: "bool", sortable: false, width: 90, render: (row) => (row.enabled ? <Badge tone="ok">Active</Badge> : <Badge tone="idle">Off</Badge>) },
  { name: "id", label: "Actions", sortable: false, filterable: false, width: 170, render: (row) => <Actions row={row} /> },
  { name: "organization_name", label: "Organization / department", sortable: false, width: 200, render: place },
  { name: "recipients", label: "Recipients", sortable: false, filterable: false, width: 280, render: recipientsText },
  { name: "digest", label: "Sent", sortable: false, filterable: false, width: 150, render: (row) => digestText(row.digest) },
  { name: "days", label: "Days before", sortable: false, filterable: false, width: 130, render: (row) => row.days.join(", ") },
  { name: "created_at", label: "Created", kind: "time", sortable: false, hidden: true },
  { name: "created_by", label: "Created by", sortable: false },
  { name: "changed_at", label: "Modified", kind: "time", sortable: false, hidden: true },
  { name: "changed_by", label: "Modified by", sortable: false, hidden: true },
];

const rowKey = (row: RuleRow) => String(row.id);

export function RulesTab() {
  return (
    <Grid
      name="notification-rules"
      label="rules"
      root={ROOT}
      path="/notifications/rules"
      columns={COLUMNS}
      rowKey={rowKey}
      defaultSort="name"
      searchLabel="Search rules"
      empty={{ title: "No rules yet", icon: "bell", text: "A rule says who is told when something happens to a certificate, a domain or an agent." }}
    />
  );
}
