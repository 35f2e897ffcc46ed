import { Link, useParams } from "react-router";

import { Badge } from "../../../components/Badge";
import type { GridColumn } from "../../../components/grid/columns";
import { Grid } from "../../../components/grid/Grid";
import type { GridView } from "../../../components/grid/state";
import { PageHeader } from "../../../components/PageHeader";
import { Panel } from "../../../components/Panel";
import type { ImportFile } from "../types";
import { ImportProgress } from "./ImportProgress";

const TONES = { Imported: "ok", AlreadyKnown: "idle", Failed: "bad" } as const;
const LABELS: Readonly<Record<string, string>> = { AlreadyKnown: "Known already" };

function Result({ row }: { row: ImportFile }) {
  return <Badge tone={TONES[row.result as keyof typeof TONES]}>{LABELS[row.result] ?? row.result}</Badge>;
}

const COLUMNS: readonly GridColumn<ImportFile>[] = [
  { name: "id", label: "No.", kind: "int", width: 80 },
  { name: "name", label: "File", sortable: false, width: 300 },
  { name: "result", label: "Result", kind: "enum", choices: Object.keys(TONES), sortable: false, width: 140, render: (row) => <Result row={row} /> },
  { name: "reason", label: "Reason", sortable: false, width: 180 },
  { name: "message", label: "Message", sortable: false, filterable: false, width: 320 },
  {
    name: "certificate_ids",
    label: "Certificates",
    sortable: false,
    filterable: false,
    width: 200,
    render: (row) =>
      row.certificate_ids.map((id, index) => (
        <span key={id}>
          {index > 0 && ", "}
          <Link to={`/certificates/ssl/${id}`}>#{id}</Link>
        </span>
      )),
  },
];

const VIEWS: readonly GridView[] = [
  { id: "failed", label: "Failed", filters: () => [{ column: "result", op: "eq", value: "Failed" }] },
];

const rowKey = (row: ImportFile) => String(row.id);

/** What became of each file of an import. */
export function ImportPage() {
  const { id = "" } = useParams();
  return (
    <>
      <PageHeader title="Import" />
      <div className="stack">
        <Panel title={`Import ${id}`}>
          <ImportProgress id={Number(id)} link={false} />
        </Panel>
        <Grid
          name="import-files"
          label="files"
          root="certificate-import-files"
          path={`/certificates/imports/${id}/files`}
          columns={COLUMNS}
          views={VIEWS}
          rowKey={rowKey}
          defaultSort="id"
          empty={{ title: "No files yet", text: "They come as they are read." }}
        />
      </div>
    </>
  );
}
