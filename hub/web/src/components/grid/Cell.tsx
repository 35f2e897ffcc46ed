import type { ReactNode } from "react";

import { Status } from "../Badge";
import { plainText } from "../plainText";
import { Time } from "../Time";
import type { GridColumn } from "./columns";

/** A value the way its column's kind is shown, unless the column shows it in its own way. */
export function cellContent<Row>(row: Row, column: GridColumn<Row>): ReactNode {
  if (column.render) return column.render(row);
  const value: unknown = row[column.name];
  const text = plainText(value);
  if (text === "") return <span className="muted">—</span>;
  if (column.kind === "time") return <Time value={text} />;
  if (column.kind === "enum") return <Status value={text} />;
  if (column.kind === "bool") return value ? "Yes" : "No";
  return <span title={text}>{text}</span>;
}
