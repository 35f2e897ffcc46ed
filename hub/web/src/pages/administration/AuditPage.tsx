import { useSearchParams } from "react-router";

import { download } from "../../api/client";
import { parseFilter } from "../../api/lists";
import { asProblem } from "../../api/problem";
import { useMay } from "../../api/session";
import { Button } from "../../components/Button";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { useToast } from "../../components/toasts";
import { AUDIT_COLUMNS, auditKey } from "./auditColumns";

const VIEWS = [
  { id: "sign-ins", label: "Sign-ins", filters: () => [{ column: "action", op: "eq" as const, value: "SignedIn" }] },
  {
    id: "administrators",
    label: "Administrators",
    filters: () => [{ column: "object_type", op: "eq" as const, value: "administrator" }],
  },
  {
    id: "certificates",
    label: "Certificates",
    filters: () => [{ column: "object_type", op: "eq" as const, value: "certificate" }],
  },
];

/** What the list shows, as JSON lines; CSV is in the list's own bar. */
function JsonLines() {
  const toast = useToast();
  const [search] = useSearchParams();
  const view = VIEWS.find((item) => item.id === search.get("view"));
  const viewFilters = (view?.filters() ?? []).map((item) => `${item.column}:${item.op}:${item.value}`);
  const filters = search.getAll("filter").filter((text) => parseFilter(text) !== null);
  return (
    <Button
      icon="download"
      onClick={() => {
        void download("/audit/export", { q: search.get("q"), filter: [...viewFilters, ...filters] }).catch(
          (error: unknown) => {
            toast(asProblem(error).message, "bad");
          },
        );
      }}
    >
      JSON lines
    </Button>
  );
}

function Checkpoints() {
  const toast = useToast();
  return (
    <Button
      icon="download"
      title="Signed checkpoints; keep them elsewhere and check with: certwright audit verify --checkpoints"
      onClick={() => {
        void download("/audit/checkpoints").catch((error: unknown) => {
          toast(asProblem(error).message, "bad");
        });
      }}
    >
      Signed checkpoints
    </Button>
  );
}

export function AuditPage() {
  const may = useMay();
  return (
    <>
      <PageHeader
        title="Audit log"
        actions={
          <>
            {may("audit.verify") && <Checkpoints />}
            <JsonLines />
          </>
        }
      >
        Who did what, when and from where. Entries are only ever added; each carries the hash of all before.
      </PageHeader>
      <Grid
        name="audit"
        label="entries"
        root="audit"
        path="/audit"
        columns={AUDIT_COLUMNS}
        views={VIEWS}
        rowKey={auditKey}
        defaultSort="-sequence"
        searchLabel="Search who, action or object"
        searchFrom={3}
        empty={{ title: "Nothing logged yet", icon: "audit" }}
      />
    </>
  );
}
