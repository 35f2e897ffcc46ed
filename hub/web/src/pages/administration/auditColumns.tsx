import { useState } from "react";

import type { AuditRow } from "../../api/types";
import { Button } from "../../components/Button";
import { Copy } from "../../components/Copy";
import { Dialog } from "../../components/Dialog";
import type { GridColumn } from "../../components/grid/columns";
import { Facts } from "../../components/Panel";
import { Time } from "../../components/Time";
import { SubjectLink } from "../agents/SubjectLink";
import { ValueTree } from "../agents/ValueTree";

/** `CertificateIssued` -> `Certificate issued`. */
const spaced = (action: string): string => {
  const text = action.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
};

function DetailsButton({ entry }: { entry: AuditRow }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button
        small
        variant="link"
        onClick={() => {
          setOpen(true);
        }}
      >
        Details
      </Button>
      {open && (
        <Dialog
          title={`Audit entry ${entry.sequence}`}
          wide
          onClose={() => {
            setOpen(false);
          }}
        >
          <Facts
            items={[
              ["Time", <Time key="at" value={entry.at} />],
              ["Who", `${entry.actor_name} (${entry.actor_kind.replaceAll("_", " ")})`],
              ["From", entry.remote],
              ["Program", entry.user_agent],
              ["Action", entry.action],
              ["Object", <SubjectLink key="object" type={entry.object_type} id={entry.object_id} />],
              ["Details", <ValueTree key="details" value={entry.details} />],
              ["SHA-256", <Copy key="sha" text={entry.sha256} label="SHA-256" />],
            ]}
          />
        </Dialog>
      )}
    </>
  );
}

export const AUDIT_COLUMNS: readonly GridColumn<AuditRow>[] = [
  { name: "at", label: "Time", kind: "time", width: 230 },
  { name: "actor_name", label: "Who", sortable: false, width: 150 },
  { name: "action", label: "Action", sortable: false, width: 200, render: (row) => spaced(row.action) },
  { name: "object_type", label: "Object", sortable: false, width: 150, render: (row) => row.object_type.replaceAll("_", " ") },
  { name: "object_id", label: "Object's ID", sortable: false, width: 170, render: (row) => <SubjectLink type={row.object_type} id={row.object_id} /> },
  { name: "remote", label: "From", sortable: false, width: 130, render: (row) => <span className="mono">{row.remote}</span> },
  { name: "details", label: "Details", sortable: false, filterable: false, width: 100, render: (row) => <DetailsButton entry={row} /> },
  { name: "sequence", label: "Number", kind: "int", width: 90 },
  { name: "user_agent", label: "Program", sortable: false, hidden: true },
  { name: "actor_kind", label: "Kind of actor", sortable: false, hidden: true },
  { name: "actor_id", label: "Actor's ID", sortable: false, hidden: true },
  { name: "organization_id", label: "Organization ID", kind: "int", sortable: false, hidden: true },
  { name: "department_id", label: "Department ID", kind: "int", sortable: false, hidden: true },
  { name: "certificate_type", label: "Certificate type", sortable: false, hidden: true },
  { name: "sha256", label: "SHA-256", sortable: false, hidden: true, width: 440 },
];

export const auditKey = (row: AuditRow) => String(row.sequence);
