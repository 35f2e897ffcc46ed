import type { Filter } from "../../api/lists";
import { filterText } from "../../api/lists";
import { statusLabel } from "../Badge";
import { Button } from "../Button";
import { Icon } from "../Icon";
import { type GridColumn, operatorLabel } from "./columns";

interface Props<Row> {
  columns: readonly GridColumn<Row>[];
  filters: readonly Filter[];
  onChange: (filters: readonly Filter[]) => void;
}

const YES_NO: Readonly<Record<string, string>> = { true: "yes", false: "no" };

function wordsOf<Row>(filter: Filter, column: GridColumn<Row> | undefined): string {
  const label = column?.label ?? filter.column;
  const plain = filter.op === "is_null" || column?.kind === "bool";
  const value = plain ? (YES_NO[filter.value] ?? filter.value) : filter.value;
  return `${label} ${operatorLabel(filter.op, column?.kind)} ${column?.kind === "enum" ? statusLabel(value) : value}`;
}

export function FilterChips<Row>({ columns, filters, onChange }: Props<Row>) {
  if (filters.length === 0) return null;
  return (
    <ul className="chips" aria-label="Filters">
      {filters.map((filter) => {
        const words = wordsOf(
          filter,
          columns.find((column) => column.name === filter.column),
        );
        return (
          <li key={filterText(filter)} className="chip">
            {words}
            <button
              type="button"
              aria-label={`Remove filter: ${words}`}
              onClick={() => {
                onChange(filters.filter((item) => item !== filter));
              }}
            >
              <Icon name="close" size={13} />
            </button>
          </li>
        );
      })}
      <li>
        <Button
          small
          variant="quiet"
          onClick={() => {
            onChange([]);
          }}
        >
          Clear all
        </Button>
      </li>
    </ul>
  );
}
