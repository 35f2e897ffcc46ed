import { useQuery } from "@tanstack/react-query";

import { useOrganizations } from "../../api/choices";
import { get } from "../../api/client";
import type { Overlap } from "../../api/types";
import { DialogButton } from "../../components/DialogButton";
import { Dialog } from "../../components/Dialog";
import { Icon } from "../../components/Icon";
import { PlainTable } from "../../components/PlainTable";
import { TYPE_LABELS } from "../administration/grants";

const LIMIT = 200;

type Side = Overlap["narrower"];

function SideText({ side }: { side: Side }) {
  const organizations = useOrganizations();
  const name = organizations.data?.find((item) => item.id === side.organization_id)?.name;
  return (
    <>
      <span className="mono">{side.name}</span>
      <span className="cell-sub">{name ?? "another organization"}</span>
    </>
  );
}

const COLUMNS = [
  { label: "Delegation", cell: (row: Overlap) => <SideText side={row.narrower} /> },
  { label: "", cell: (row: Overlap) => (row.kind === "shared" ? "is shared with" : "takes names from") },
  { label: "Other delegation", cell: (row: Overlap) => <SideText side={row.wider} /> },
  { label: "Types", cell: (row: Overlap) => row.certificate_types.map((type) => TYPE_LABELS[type] ?? type).join(", ") },
];

const rowKey = (row: Overlap) => `${row.narrower.name}:${row.narrower.id ?? "x"}/${row.wider.name}:${row.wider.id ?? "x"}`;

/** Delegations that share names: told, since the narrower one wins without anybody noticing. */
export function Overlaps() {
  const query = useQuery({
    queryKey: ["domains", "overlaps"],
    queryFn: ({ signal }) => get<{ items: Overlap[]; total: number }>("/domains/overlaps", { limit: LIMIT }, signal),
  });
  const total = query.data?.total ?? 0;
  if (!query.data || total === 0) return null;
  return (
    <div className="notice" data-tone="warn" role="status">
      <Icon name="warning" className="tone-warn" />
      <div>
        <strong>{total === 1 ? "Two delegations share names" : `${total} pairs of delegations share names`}</strong>
        <p>The narrower delegation wins; a domain that is delegated twice may be used by both.</p>
      </div>
      <DialogButton small label="Show">
        {(close) => (
          <Dialog title="Delegations that share names" wide onClose={close}>
            <PlainTable title="Overlaps" rows={query.data.items} rowKey={rowKey} columns={COLUMNS} empty="None." />
          </Dialog>
        )}
      </DialogButton>
    </div>
  );
}
