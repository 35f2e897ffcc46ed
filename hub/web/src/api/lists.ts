/** Lists of the hub: keyset pages, `filter=column:op:value`, search, sort, CSV. */

import { apiUrl, get, type Query } from "./client";

export interface Page<Row> {
  items: Row[];
  next_cursor: string | null;
  total: number;
  total_exact: boolean;
}

export const OPERATORS = ["eq", "ne", "in", "contains", "lt", "le", "gt", "ge", "is_null"] as const;

export type Operator = (typeof OPERATORS)[number];

export interface Filter {
  column: string;
  op: Operator;
  value: string;
}

export interface ListParameters {
  q?: string;
  sort?: string;
  filters?: readonly Filter[];
}

export const filterText = (filter: Filter): string => `${filter.column}:${filter.op}:${filter.value}`;

export function parseFilter(text: string): Filter | null {
  const [column, op, ...rest] = text.split(":");
  const operator = OPERATORS.find((item) => item === op);
  return column && operator ? { column, op: operator, value: rest.join(":") } : null;
}

export function listQuery(parameters: ListParameters): Query {
  return {
    q: parameters.q,
    sort: parameters.sort,
    filter: parameters.filters?.map(filterText),
  };
}

export const PAGE_ROWS = 100;

export function fetchPage<Row>(
  path: string,
  parameters: ListParameters,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<Page<Row>> {
  return get<Page<Row>>(path, { ...listQuery(parameters), limit: PAGE_ROWS, cursor }, signal);
}

export function csvUrl(path: string, parameters: ListParameters, columns: readonly string[]): string {
  return apiUrl(path, { ...listQuery(parameters), format: "csv", columns: columns.join(",") });
}
