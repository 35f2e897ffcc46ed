/** Which columns somebody wants to see, in which widths; kept in the browser. */

import { useState } from "react";

import { type GridColumn, MIN_WIDTH, widthOf } from "./columns";

interface Layout {
  shown: string[];
  widths: Record<string, number>;
}

const keyOf = (name: string): string => `certwright.grid.${name}`;

function load(name: string): Partial<Layout> {
  try {
    return JSON.parse(localStorage.getItem(keyOf(name)) ?? "{}") as Partial<Layout>;
  } catch {
    return {};
  }
}

export interface GridLayout<Row> {
  shown: readonly GridColumn<Row>[];
  isShown: (column: GridColumn<Row>) => boolean;
  toggle: (column: GridColumn<Row>) => void;
  width: (column: GridColumn<Row>) => number;
  resize: (column: GridColumn<Row>, width: number) => void;
  reset: () => void;
}

export function useGridLayout<Row>(name: string, columns: readonly GridColumn<Row>[]): GridLayout<Row> {
  const [layout, setLayout] = useState(() => load(name));
  const change = (next: Partial<Layout>) => {
    setLayout(next);
    localStorage.setItem(keyOf(name), JSON.stringify(next));
  };
  const names = layout.shown ?? columns.filter((column) => !column.hidden).map((column) => column.name);
  const isShown = (column: GridColumn<Row>) => names.includes(column.name);
  return {
    shown: columns.filter(isShown),
    isShown,
    toggle: (column) => {
      const wanted = isShown(column) ? names.filter((item) => item !== column.name) : [...names, column.name];
      if (wanted.length > 0) change({ ...layout, shown: wanted });
    },
    width: (column) => layout.widths?.[column.name] ?? widthOf(column),
    resize: (column, width) => {
      const widths = { ...layout.widths, [column.name]: Math.max(MIN_WIDTH, Math.round(width)) };
      change({ ...layout, widths });
    },
    reset: () => {
      change({});
    },
  };
}
