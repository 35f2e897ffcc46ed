import { useState } from "react";

import type { Filter, Operator } from "../../api/lists";
import { Select, TextField } from "../../forms/fields";
import { statusLabel } from "../Badge";
import { Button } from "../Button";
import { Menu } from "../Menu";
import { type GridColumn, operatorLabel, OPERATORS_OF } from "./columns";

const YES_NO = [
  { value: "true", label: "Yes" },
  { value: "false", label: "No" },
];

function ValueField<Row>(props: {
  column: GridColumn<Row>;
  op: Operator;
  value: string;
  onChange: (value: string) => void;
}) {
  const { column, op, value, onChange } = props;
  const shared = { label: "Value", value, onChange };
  if (op === "is_null" || column.kind === "bool") return <Select {...shared} options={YES_NO} empty="Choose…" />;
  if (column.kind === "enum" && column.choices) {
    const options = column.choices.map((choice) => ({ value: choice, label: statusLabel(choice) }));
    return <Select {...shared} options={options} empty="Choose…" />;
  }
  const type = { time: "date", int: "number" }[column.kind as string] ?? "text";
  return <TextField {...shared} type={type} />;
}

function FilterForm<Row>(props: { columns: readonly GridColumn<Row>[]; onAdd: (filter: Filter) => void }) {
  const { columns, onAdd } = props;
  const [name, setName] = useState<string>(columns[0]?.name ?? "");
  const [op, setOp] = useState<Operator | "">("");
  const [value, setValue] = useState("");
  const column = columns.find((item) => item.name === name);
  if (!column) return null;
  const operators = OPERATORS_OF[column.kind ?? "text"];
  const chosen = operators.find((item) => item === op) ?? operators[0] ?? "eq";
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (value) onAdd({ column: name, op: chosen, value });
      }}
    >
      <Select
        label="Column"
        value={name}
        onChange={(next) => {
          setName(next);
          setValue("");
        }}
        options={columns.map((item) => ({ value: item.name, label: item.label }))}
      />
      <Select
        label="Condition"
        value={chosen}
        onChange={(next) => {
          setOp(next as Operator);
        }}
        options={operators.map((item) => ({ value: item, label: operatorLabel(item, column.kind) }))}
      />
      <ValueField column={column} op={chosen} value={value} onChange={setValue} />
      <div className="form-actions">
        <Button type="submit" variant="primary" disabled={!value}>
          Add filter
        </Button>
      </div>
    </form>
  );
}

export function FilterMenu<Row>(props: { columns: readonly GridColumn<Row>[]; onAdd: (filter: Filter) => void }) {
  const filterable = props.columns.filter((column) => column.filterable !== false);
  return (
    <Menu label="Filter" icon="filter" variant="quiet" align="start" wide>
      {(close) => (
        <FilterForm
          columns={filterable}
          onAdd={(filter) => {
            props.onAdd(filter);
            close();
          }}
        />
      )}
    </Menu>
  );
}
