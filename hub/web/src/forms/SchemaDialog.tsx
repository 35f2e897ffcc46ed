import { useState, type ReactNode } from "react";

import { asProblem, type Problem } from "../api/problem";
import { ActionDialog } from "../components/ActionDialog";
import { Dialog } from "../components/Dialog";
import { Loaded } from "../components/Loaded";
import { type ApiSchema, useApiSchema } from "./apiSchema";
import { defaultsOf, type Values } from "./jsonSchema";
import { type FieldOverride, SchemaForm } from "./SchemaForm";

interface Props {
  /** Name of the body's schema in the API document. */
  schema: string;
  title: string;
  confirm: string;
  done: string;
  /** Present values when something is changed; default: those of the schema. */
  initial?: Values;
  fields?: readonly string[];
  overrides?: Readonly<Record<string, FieldOverride>>;
  wide?: boolean;
  /** Fields that depend on each other, above the others; they are no part of `fields` then. */
  group?: (values: Values, onChange: (values: Values) => void, problem: Problem | null) => ReactNode;
  run: (values: Values) => Promise<unknown>;
  onClose: () => void;
}

function Form({ description, ...props }: Props & { description: ApiSchema }) {
  const { schema, resolve } = description;
  const [values, setValues] = useState<Values>({ ...defaultsOf(schema), ...props.initial });
  const fields = props.fields ?? Object.keys(schema.properties ?? {});
  return (
    <ActionDialog
      title={props.title}
      confirm={props.confirm}
      done={props.done}
      wide={props.wide ?? false}
      run={() => props.run(values)}
      onClose={props.onClose}
      shownFields={fields}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <>
            {props.group?.(values, setValues, problem)}
            <SchemaForm
              schema={schema}
              resolve={resolve}
              values={values}
              onChange={setValues}
              fields={fields}
              overrides={props.overrides ?? {}}
              problem={problem}
            />
          </>
        );
      }}
    </ActionDialog>
  );
}

/** A dialog whose form is made from the API's own description of what it takes. */
export function SchemaDialog(props: Props) {
  const query = useApiSchema(props.schema);
  if (query.data) return <Form {...props} description={query.data} />;
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <Loaded query={query}>{() => null}</Loaded>
    </Dialog>
  );
}
