/** The part of JSON Schema that pydantic writes and forms are made of. */

export interface JsonSchema {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: readonly unknown[];
  format?: string;
  writeOnly?: boolean;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  items?: JsonSchema;
  properties?: Readonly<Record<string, JsonSchema>>;
  required?: readonly string[];
  anyOf?: readonly JsonSchema[];
  allOf?: readonly JsonSchema[];
  $ref?: string;
  $defs?: Readonly<Record<string, JsonSchema>>;
}

/** Finds what a `$ref` points at, by its last part. */
export type Resolve = (name: string) => JsonSchema | undefined;

export type FieldKind = "text" | "password" | "number" | "check" | "choice" | "choices" | "lines" | "numbers" | "group" | "other";

export interface FieldShape {
  kind: FieldKind;
  schema: JsonSchema;
  /** Whether the value may be null. */
  nullable: boolean;
  choices: readonly string[];
}

function follow(schema: JsonSchema, resolve: Resolve): JsonSchema {
  const target = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined);
  const found = target ? resolve(target.split("/").pop() ?? "") : undefined;
  // Words beside a reference are meant for this field and win.
  return found ? { ...found, ...schema } : schema;
}

const strings = (values: readonly unknown[] | undefined): string[] => (values ?? []).map(String);

function kindOf(schema: JsonSchema, items: JsonSchema | undefined): FieldKind {
  if (schema.enum) return "choice";
  switch (schema.type) {
    case "string":
      return schema.format === "password" || schema.writeOnly ? "password" : "text";
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "check";
    case "array":
      if (items?.enum) return "choices";
      if (items?.type === "integer") return "numbers";
      return items?.type === "string" ? "lines" : "other";
    case "object":
      return schema.properties ? "group" : "other";
    default:
      return "other";
  }
}

export function shapeOf(raw: JsonSchema, resolve: Resolve): FieldShape {
  const outer = follow(raw, resolve);
  const options = outer.anyOf ?? [];
  const nullable = options.some((option) => option.type === "null");
  const real = options.find((option) => option.type !== "null");
  const schema = real ? { ...follow(real, resolve), ...outer } : outer;
  const items = schema.items && follow(schema.items, resolve);
  return { kind: kindOf(schema, items), schema, nullable, choices: strings(items?.enum ?? schema.enum) };
}

/** `organization_id` -> `Organization`. */
export function labelOf(name: string, schema: JsonSchema): string {
  const words = name.replace(/_id$/, "").replaceAll("_", " ");
  const title = schema.title && schema.title.toLowerCase() !== name.replaceAll("_", " ") ? schema.title : words;
  return title.charAt(0).toUpperCase() + title.slice(1);
}

export type Values = Readonly<Record<string, unknown>>;

/** What a new form starts with. */
export function defaultsOf(schema: JsonSchema): Values {
  const found = Object.entries(schema.properties ?? {}).filter(([, field]) => field.default !== undefined);
  return Object.fromEntries(found.map(([name, field]) => [name, field.default]));
}
