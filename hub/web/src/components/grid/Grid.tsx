import { useCallback, type ReactNode } from "react";

import type { Filter } from "../../api/lists";
import { Button } from "../Button";
import { Empty } from "../Empty";
import type { IconName } from "../Icon";
import { ProblemNotice } from "../ProblemNotice";
import { useNow } from "../useNow";
import type { GridColumn } from "./columns";
import { useGridRows } from "./data";
import { FilterChips } from "./FilterChips";
import { GridTable } from "./GridTable";
import { GridToolbar, Views } from "./GridToolbar";
import { useGridLayout } from "./layout";
import type { Selection } from "./selection";
import { type GridView, hourOf, useGridState } from "./state";

export interface GridProps<Row> {
  /** Under this name the reader's columns are kept. */
  name: string;
  /** For screen readers, and to say what is empty: "certificates". */
  label: string;
  /** First part of the query key; live events refresh by it. */
  root: string;
  path: string;
  columns: readonly GridColumn<Row>[];
  rowKey: (row: Row) => string;
  rowHref?: (row: Row) => string;
  defaultSort: string;
  /** Filters that always hold, such as the parent of the rows. */
  base?: readonly Filter[];
  views?: readonly GridView[];
  searchLabel?: string;
  /** How many characters the hub wants at least. */
  searchFrom?: number;
  selection?: Selection;
  /** Beside the filters: buttons for what is selected. */
  toolbar?: (rows: readonly Row[]) => ReactNode;
  empty: { title: string; icon?: IconName; text?: ReactNode; action?: ReactNode };
}

const NO_VIEWS: readonly GridView[] = [];
const NO_FILTERS: readonly Filter[] = [];

function countText(shown: number, total: number, exact: boolean, label: string): string {
  if (total === 0) return "";
  const all = `${total.toLocaleString("en")}${exact ? "" : "+"} ${total === 1 ? label.replace(/ies$/, "y").replace(/s$/, "") : label}`;
  return shown < total || !exact ? `${shown.toLocaleString("en")} of ${all}` : all;
}

/** A list of the hub: search, views, filters, columns, order, CSV, endless scrolling. */
export function Grid<Row>(props: GridProps<Row>) {
  const { views = NO_VIEWS, base = NO_FILTERS, columns, path, root } = props;
  const state = useGridState({ defaultSort: props.defaultSort, views, base, hour: hourOf(useNow()) });
  const layout = useGridLayout(props.name, columns);
  const { query, rows, total, totalExact } = useGridRows<Row>(root, path, state.parameters);
  const { fetchNextPage, isFetchingNextPage } = query;
  const narrowed = state.q !== "" || state.filters.length > 0 || state.view !== "";
  const more = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  const isEmpty = query.isSuccess && rows.length === 0;
  return (
    <div className="grid">
      <Views views={views} state={state} />
      <GridToolbar
        path={path}
        columns={columns}
        state={state}
        layout={layout}
        searchLabel={props.searchLabel}
        searchFrom={props.searchFrom ?? 1}
        count={countText(rows.length, total, totalExact, props.label)}
        stale={query.isStale && query.isSuccess && !query.isFetching}
        fetching={query.isFetching && !query.isLoading}
        onRefresh={() => void query.refetch()}
      >
        {props.toolbar?.(rows)}
      </GridToolbar>
      <FilterChips columns={columns} filters={state.filters} onChange={state.setFilters} />
      {query.error && (
        <div className="panel-body">
          <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
        </div>
      )}
      {isEmpty && narrowed && (
        <Empty title={`No ${props.label} match`} icon="search" action={<Button onClick={state.clear}>Show all</Button>}>
          Change the search, the filters or the view.
        </Empty>
      )}
      {isEmpty && !narrowed && (
        <Empty title={props.empty.title} icon={props.empty.icon ?? "empty"} action={props.empty.action}>
          {props.empty.text}
        </Empty>
      )}
      {!isEmpty && (!query.error || rows.length > 0) && (
        <GridTable
          label={props.label}
          rows={rows}
          total={total}
          layout={layout}
          sort={state.sort}
          onSort={state.setSort}
          rowKey={props.rowKey}
          rowHref={props.rowHref}
          selection={props.selection}
          loading={query.isLoading}
          hasMore={query.hasNextPage && !query.error}
          onMore={more}
        />
      )}
    </div>
  );
}
