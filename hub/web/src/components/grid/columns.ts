/** What a grid knows about the columns of a list; names are those of the API. */

import type { ReactNode } from "react";

import type { Operator } from "../../api/lists";

export type ColumnKind = "text" | "int" | "time" | "enum" | "bool";

export interface GridColumn<Row> {
  name: keyof Row & string;
  label: string;
  kind?: ColumnKind;
  choices?: readonly string[];
  sortable?: boolean;
  filterable?: boolean;
  /** Not shown until somebody wants it. */
  hidden?: boolean;
  width?: number;
  /** Heading in the column chooser. */
  group?: string;
  render?: (row: Row) => ReactNode;
}

export const OPERATORS_OF: Readonly<Record<ColumnKind, readonly Operator[]>> = {
  text: ["contains", "eq", "ne", "is_null"],
  int: ["eq", "ne", "lt", "le", "gt", "ge", "is_null"],
  time: ["ge", "le", "is_null"],
  enum: ["eq", "ne"],
  bool: ["eq"],
};

const WIDTHS: Readonly<Record<ColumnKind, number>> = { text: 180, int: 90, time: 250, enum: 140, bool: 90 };

export const MIN_WIDTH = 60;

export const widthOf = <Row>(column: GridColumn<Row>): number =>
  column.width ?? WIDTHS[column.kind ?? "text"];

/** A filter's words, such as `Expires at most 2026-12-01`. */
export function operatorLabel(op: Operator, kind: ColumnKind | undefined): string {
  if (kind === "time" && (op === "ge" || op === "gt")) return "after";
  if (kind === "time" && (op === "le" || op === "lt")) return "before";
  return {
    eq: "is",
    ne: "is not",
    in: "is one of",
    contains: "contains",
    lt: "below",
    le: "at most",
    gt: "above",
    ge: "at least",
    is_null: "is empty:",
  }[op];
}
