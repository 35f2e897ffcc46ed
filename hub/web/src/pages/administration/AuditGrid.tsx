import { Grid } from "../../components/grid/Grid";
import { AUDIT_COLUMNS, auditKey } from "./auditColumns";

/** What happened to one object. */
export function AuditGrid({ type, id }: { type: string; id: string }) {
  return (
    <Grid
      name="object-audit"
      label="entries"
      root="audit"
      path={`/audit/objects/${type}/${id}`}
      columns={AUDIT_COLUMNS}
      rowKey={auditKey}
      defaultSort="-sequence"
      empty={{ title: "Nothing logged yet", icon: "audit" }}
    />
  );
}
