import { Fragment } from "react";

import { Check } from "../../forms/fields";
import { Button } from "../Button";
import { Menu } from "../Menu";
import type { GridColumn } from "./columns";
import type { GridLayout } from "./layout";

interface Props<Row> {
  columns: readonly GridColumn<Row>[];
  layout: GridLayout<Row>;
}

function grouped<Row>(columns: readonly GridColumn<Row>[]): [string, GridColumn<Row>[]][] {
  const groups = new Map<string, GridColumn<Row>[]>();
  for (const column of columns) {
    const group = groups.get(column.group ?? "") ?? [];
    group.push(column);
    groups.set(column.group ?? "", group);
  }
  return [...groups];
}

export function ColumnMenu<Row>({ columns, layout }: Props<Row>) {
  return (
    <Menu label="Columns" icon="columns" iconOnly variant="quiet">
      {() => (
        <>
          {grouped(columns).map(([group, items]) => (
            <Fragment key={group}>
              {group && <div className="menu-title">{group}</div>}
              {items.map((column) => (
                <div key={column.name} className="menu-item">
                  <Check
                    label={column.label}
                    checked={layout.isShown(column)}
                    onChange={() => {
                      layout.toggle(column);
                    }}
                  />
                </div>
              ))}
            </Fragment>
          ))}
          <Button small variant="quiet" onClick={layout.reset}>
            Reset columns
          </Button>
        </>
      )}
    </Menu>
  );
}
