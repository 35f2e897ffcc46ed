import type { ReactNode } from "react";

import { Panel } from "./Panel";

export interface PlainColumn<Row> {
  label: string;
  cell: (row: Row) => ReactNode;
}

interface Props<Row> {
  title: string;
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  columns: readonly PlainColumn<Row>[];
  empty: string;
  actions?: ReactNode;
}

/** A short table in a panel; long lists of the hub are a Grid. */
export function PlainTable<Row>({ title, rows, rowKey, columns, empty, actions }: Props<Row>) {
  if (rows.length === 0) {
    return (
      <Panel title={title} actions={actions}>
        <p className="muted">{empty}</p>
      </Panel>
    );
  }
  return (
    <Panel title={title} actions={actions} flush>
      <div className="plain plain-wrap">
        <table className="table" aria-label={title}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.label} scope="col">
                  {column.label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={rowKey(row)}>
                {columns.map((column) => (
                  <td key={column.label}>{column.cell(row)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
