import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { useNavigate } from "react-router";

import { GridHeader } from "./GridHeader";
import { GridRow, SkeletonRows } from "./GridRow";
import type { GridLayout } from "./layout";
import type { Selection } from "./selection";

export const ROW_HEIGHT = 36;
const OVERSCAN = 12;
const LOAD_AHEAD = 20;

interface Props<Row> {
  label: string;
  rows: readonly Row[];
  total: number;
  layout: GridLayout<Row>;
  sort: string;
  onSort: (sort: string) => void;
  rowKey: (row: Row) => string;
  rowHref: ((row: Row) => string) | undefined;
  selection: Selection | undefined;
  loading: boolean;
  hasMore: boolean;
  onMore: () => void;
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 15,
  PageUp: -15,
  Home: -Infinity,
  End: Infinity,
};

/** The rows that are in sight, as a real table; arrow keys move, Enter opens, Space selects. */
export function GridTable<Row>(props: Props<Row>) {
  const { rows, layout, rowKey, rowHref, selection, hasMore, onMore, loading } = props;
  const navigate = useNavigate();
  const scroll = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  // eslint-disable-next-line react-hooks/incompatible-library -- its values are used here only, never memoized
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (hasMore && last >= rows.length - LOAD_AHEAD) onMore();
  }, [hasMore, last, rows.length, onMore]);

  const focusRow = (index: number) => {
    setActive(index);
    virtual.scrollToIndex(index);
    // The row may have to be rendered first.
    requestAnimationFrame(() => {
      scroll.current?.querySelector<HTMLElement>(`tr[data-row="${index}"]`)?.focus();
    });
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTableElement>) => {
    const element = event.target as HTMLElement;
    if (!element.matches("tr[data-row]")) return;
    const index = Number(element.dataset.row);
    const row = rows[index];
    if (event.key in STEPS) {
      focusRow(Math.min(rows.length - 1, Math.max(0, index + (STEPS[event.key] ?? 0))));
    } else if (event.key === "Enter" && row !== undefined && rowHref) {
      void navigate(rowHref(row));
    } else if (event.key === " " && row !== undefined && selection) {
      selection.toggle(rowKey(row));
    } else {
      return;
    }
    event.preventDefault();
  };

  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const width = layout.shown.reduce((sum, column) => sum + layout.width(column), selection ? 36 : 0);
  const columns = layout.shown.length + (selection ? 1 : 0);
  return (
    <div className="grid-scroll" ref={scroll}>
      <table
        className="table"
        style={{ minWidth: width }}
        aria-label={props.label}
        aria-rowcount={props.total + 1}
        aria-busy={loading}
        onKeyDown={onKeyDown}
      >
        <GridHeader
          layout={layout}
          sort={props.sort}
          onSort={props.onSort}
          selection={
            selection && {
              all: rows.length > 0 && rows.every((row) => selection.has(rowKey(row))),
              toggle: () => {
                selection.toggleAll(rows.map(rowKey));
              },
            }
          }
        />
        <tbody>
          {loading && <SkeletonRows columns={columns} />}
          {before > 0 && <Spacer columns={columns} height={before} />}
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <GridRow
                key={rowKey(row)}
                row={row}
                index={item.index}
                layout={layout}
                id={rowKey(row)}
                href={rowHref?.(row)}
                selection={selection}
                isTabStop={item.index === Math.min(active, rows.length - 1)}
                onFocus={setActive}
              />
            );
          })}
          {after > 0 && <Spacer columns={columns} height={after} />}
        </tbody>
      </table>
    </div>
  );
}

function Spacer({ columns, height }: { columns: number; height: number }) {
  return (
    <tr className="spacer" aria-hidden="true">
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}
