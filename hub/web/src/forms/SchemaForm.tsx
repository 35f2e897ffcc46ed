import { Fragment, type ReactNode } from "react";

import type { Problem } from "../api/problem";
import { type JsonSchema, type Resolve, type Values } from "./jsonSchema";
import { SchemaField } from "./SchemaField";

export interface FieldProps {
  value: unknown;
  onChange: (value: unknown) => void;
  error: string | undefined;
  required: boolean;
}

export interface FieldOverride {
  label?: string;
  hint?: string;
  /** Words for the values of an enum. */
  choices?: Readonly<Record<string, string>>;
  /** Takes the whole width. */
  wide?: boolean;
  /** A control that knows more than the schema, such as a picker of organizations. */
  render?: (props: FieldProps) => ReactNode;
}

interface Props {
  schema: JsonSchema;
  values: Values;
  onChange: (values: Values) => void;
  resolve?: Resolve;
  problem?: Problem | null;
  /** Which fields in which order; default: all that the schema has. */
  fields?: readonly string[];
  overrides?: Readonly<Record<string, FieldOverride>>;
  /** Path of the fields in the hub's messages. */
  path?: string;
}

const fromDefinitions =
  (schema: JsonSchema): Resolve =>
  (name) =>
    schema.$defs?.[name];

/** The one form renderer: any object that JSON Schema describes, such as a plug-in's settings. */
export function SchemaForm(props: Props) {
  const { schema, values, onChange, problem = null, overrides = {}, path = "" } = props;
  const resolve = props.resolve ?? fromDefinitions(schema);
  const names = props.fields ?? Object.keys(schema.properties ?? {});
  return (
    <div className="form-grid">
      {names.map((name) => {
        const field = schema.properties?.[name];
        if (!field) return null;
        const shared: FieldProps = {
          value: values[name],
          onChange: (value) => {
            onChange({ ...values, [name]: value });
          },
          error: problem?.of(path + name),
          required: schema.required?.includes(name) ?? false,
        };
        const override = overrides[name] ?? {};
        return (
          <Fragment key={name}>
            {override.render?.(shared) ?? (
              <SchemaField
                name={name}
                schema={field}
                resolve={resolve}
                override={override}
                problem={problem}
                path={path}
                {...shared}
              />
            )}
          </Fragment>
        );
      })}
    </div>
  );
}
