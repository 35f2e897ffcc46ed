import type { ReactNode } from "react";

import { csvUrl } from "../../api/lists";
import { Button } from "../Button";
import { Icon } from "../Icon";
import { ColumnMenu } from "./ColumnMenu";
import type { GridColumn } from "./columns";
import { FilterMenu } from "./FilterMenu";
import type { GridLayout } from "./layout";
import { SearchField } from "./SearchField";
import type { GridState, GridView } from "./state";

interface Props<Row> {
  path: string;
  columns: readonly GridColumn<Row>[];
  state: GridState;
  layout: GridLayout<Row>;
  searchLabel: string | undefined;
  searchFrom: number;
  count: string;
  /** The list has changed since it was read. */
  stale: boolean;
  fetching: boolean;
  onRefresh: () => void;
  children?: ReactNode;
}

export function Views({ views, state }: { views: readonly GridView[]; state: GridState }) {
  if (views.length === 0) return null;
  const all = { id: "", label: "All" };
  return (
    <div className="views" role="group" aria-label="Views">
      {[all, ...views].map((view) => (
        <button
          key={view.id}
          type="button"
          className="view"
          aria-pressed={state.view === view.id}
          onClick={() => {
            state.setView(view.id);
          }}
        >
          {view.label}
        </button>
      ))}
    </div>
  );
}

export function GridToolbar<Row>(props: Props<Row>) {
  const { path, columns, state, layout, searchLabel, stale, fetching, onRefresh } = props;
  const names = layout.shown.map((column) => column.name);
  return (
    <div className="grid-bar" role="toolbar" aria-label="List">
      {searchLabel && <SearchField value={state.q} label={searchLabel} from={props.searchFrom} onChange={state.setQ} />}
      <FilterMenu
        columns={columns}
        onAdd={(filter) => {
          state.setFilters([...state.filters, filter]);
        }}
      />
      {props.children}
      <div className="grid-bar-end">
        <span className="grid-count" aria-live="polite">
          {props.count}
        </span>
        {stale && (
          <Button small icon="refresh" onClick={onRefresh}>
            List has changed
          </Button>
        )}
        <Button
          variant="quiet"
          icon="refresh"
          busy={fetching}
          aria-label="Refresh"
          title="Refresh"
          onClick={onRefresh}
        />
        <a
          className="btn btn-quiet btn-icon"
          href={csvUrl(path, state.parameters, names)}
          download
          aria-label="Download as CSV"
          title="Download as CSV: all rows that match, with the columns shown"
        >
          <Icon name="download" size={16} />
        </a>
        <ColumnMenu columns={columns} layout={layout} />
      </div>
    </div>
  );
}
