import type { MouseEvent } from "react";
import { Link, useNavigate } from "react-router";

import { cellContent } from "./Cell";
import type { GridLayout } from "./layout";
import type { Selection } from "./selection";

interface Props<Row> {
  row: Row;
  id: string;
  index: number;
  layout: GridLayout<Row>;
  href: string | undefined;
  selection: Selection | undefined;
  isTabStop: boolean;
  onFocus: (index: number) => void;
}

export function GridRow<Row>(props: Props<Row>) {
  const { row, id, index, layout, href, selection, isTabStop, onFocus } = props;
  const navigate = useNavigate();
  const open = (event: MouseEvent<HTMLElement>) => {
    const selecting = window.getSelection()?.toString();
    if (!href || selecting || (event.target as HTMLElement).closest("a, button, input, label")) return;
    void navigate(href);
  };
  return (
    <tr
      data-row={index}
      data-href={href}
      aria-rowindex={index + 2}
      aria-selected={selection ? selection.has(id) : undefined}
      tabIndex={isTabStop ? 0 : -1}
      onFocus={() => {
        onFocus(index);
      }}
      onClick={open}
    >
      {selection && (
        <td className="check-cell">
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={`Select row ${index + 1}`}
            checked={selection.has(id)}
            onChange={() => {
              selection.toggle(id);
            }}
          />
        </td>
      )}
      {layout.shown.map((column, position) => (
        <td key={column.name} className={column.kind === "int" ? "end" : undefined}>
          {position === 0 && href ? (
            <Link to={href} tabIndex={-1}>
              {cellContent(row, column)}
            </Link>
          ) : (
            cellContent(row, column)
          )}
        </td>
      ))}
    </tr>
  );
}

const SKELETON_ROWS = 12;

export function SkeletonRows({ columns }: { columns: number }) {
  return Array.from({ length: SKELETON_ROWS }, (_, row) => (
    <tr key={row} aria-hidden="true">
      {Array.from({ length: columns }, (__, column) => (
        <td key={column}>
          <span className="skeleton" />
        </td>
      ))}
    </tr>
  ));
}
