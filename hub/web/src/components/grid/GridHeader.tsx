import type { PointerEvent } from "react";

import { Icon } from "../Icon";
import type { GridColumn } from "./columns";
import type { GridLayout } from "./layout";

interface Props<Row> {
  layout: GridLayout<Row>;
  sort: string;
  onSort: (sort: string) => void;
  selection?: { all: boolean; toggle: () => void } | undefined;
}

function Resizer<Row>({ column, layout }: { column: GridColumn<Row>; layout: GridLayout<Row> }) {
  const start = (event: PointerEvent<HTMLSpanElement>) => {
    const origin = event.clientX;
    const width = layout.width(column);
    const handle = event.currentTarget;
    handle.setPointerCapture(event.pointerId);
    const move = (to: globalThis.PointerEvent) => {
      layout.resize(column, width + to.clientX - origin);
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener(
      "pointerup",
      () => {
        handle.removeEventListener("pointermove", move);
      },
      { once: true },
    );
  };
  return <span className="resizer" onPointerDown={start} aria-hidden="true" />;
}

function SortButton<Row>({ column, sort, onSort }: { column: GridColumn<Row>; sort: string; onSort: (sort: string) => void }) {
  const ascending = sort === column.name;
  const sorted = ascending || sort === `-${column.name}`;
  return (
    <button
      type="button"
      className="sort"
      onClick={() => {
        onSort(ascending ? `-${column.name}` : column.name);
      }}
    >
      {column.label}
      {sorted && <Icon name={ascending ? "up" : "down"} size={14} />}
    </button>
  );
}

function ariaSort(name: string, sort: string): "ascending" | "descending" | undefined {
  if (sort === name) return "ascending";
  return sort === `-${name}` ? "descending" : undefined;
}

export function GridHeader<Row>({ layout, sort, onSort, selection }: Props<Row>) {
  return (
    <>
      <colgroup>
        {selection && <col style={{ width: 36 }} />}
        {layout.shown.map((column) => (
          <col key={column.name} style={{ width: layout.width(column) }} />
        ))}
      </colgroup>
      <thead>
        <tr aria-rowindex={1}>
          {selection && (
            <th className="check-cell">
              <input
                type="checkbox"
                aria-label="Select all rows that are loaded"
                checked={selection.all}
                onChange={selection.toggle}
              />
            </th>
          )}
          {layout.shown.map((column) => (
            <th
              key={column.name}
              scope="col"
              aria-sort={ariaSort(column.name, sort)}
              className={column.kind === "int" ? "end" : undefined}
            >
              {column.sortable === false ? (
                column.label
              ) : (
                <SortButton column={column} sort={sort} onSort={onSort} />
              )}
              <Resizer column={column} layout={layout} />
            </th>
          ))}
        </tr>
      </thead>
    </>
  );
}
