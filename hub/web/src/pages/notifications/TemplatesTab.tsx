import { Link } from "react-router";

import { Badge } from "../../components/Badge";
import { Loaded } from "../../components/Loaded";
import { PlainTable } from "../../components/PlainTable";
import { Time } from "../../components/Time";
import { useTemplates, useTypes } from "./queries";
import type { NotificationType, Template } from "./types";

const rowKey = (row: NotificationType) => row.name;

function columns(chosen: readonly Template[]) {
  const own = (name: string) => chosen.filter((item) => item.type === name);
  return [
    { label: "Type", cell: (row: NotificationType) => <Link to={`/notifications/templates/${row.name}`}>{row.title}</Link> },
    {
      label: "Subject",
      cell: (row: NotificationType) => own(row.name).find((item) => item.organization_id === null && !item.language)?.subject ?? row.subject,
    },
    {
      label: "Words",
      cell: (row: NotificationType) =>
        own(row.name).length > 0 ? <Badge tone="info">{own(row.name).length === 1 ? "Changed" : `Changed in ${own(row.name).length} places`}</Badge> : <span className="muted">Built in</span>,
    },
    {
      label: "Modified",
      cell: (row: NotificationType) => {
        const latest = own(row.name).sort((one, other) => other.changed_at.localeCompare(one.changed_at))[0];
        return latest ? (
          <>
            <Time value={latest.changed_at} /> {latest.changed_by}
          </>
        ) : null;
      },
    },
  ];
}

export function TemplatesTab() {
  const types = useTypes();
  const templates = useTemplates();
  return (
    <Loaded query={types}>
      {(list) => (
        <Loaded query={templates}>
          {(chosen) => <PlainTable title="Templates" rows={list.types} rowKey={rowKey} columns={columns(chosen)} empty="There are no types." />}
        </Loaded>
      )}
    </Loaded>
  );
}
