import { Facts } from "../../components/Panel";

const words = (name: string): string => {
  const spaced = name.replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};

const isPlain = (value: unknown): value is string | number | boolean =>
  ["string", "number", "boolean"].includes(typeof value);

function plainText(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return typeof value === "number" ? value.toLocaleString("en") : value;
}

/** Any structure the hub describes, readable without knowing its shape. */
export function ValueTree({ value }: { value: unknown }) {
  if (value === null || value === undefined || value === "") return <span className="muted">—</span>;
  if (isPlain(value)) return <span className="breakable">{plainText(value)}</span>;
  if (Array.isArray(value)) {
    if (value.length === 0) return <span className="muted">None</span>;
    if (value.every(isPlain)) return <span className="breakable">{value.map(plainText).join(", ")}</span>;
    return (
      <ol className="stack-s">
        {value.map((item: unknown, index) => (
          <li key={index} className="code-block">
            <ValueTree value={item} />
          </li>
        ))}
      </ol>
    );
  }
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length === 0) return <span className="muted">Nothing more to tell</span>;
  return <Facts items={entries.map(([name, item]) => [words(name), <ValueTree key={name} value={item} />])} />;
}
