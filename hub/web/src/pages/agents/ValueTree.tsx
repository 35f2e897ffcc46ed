import type { ReactNode } from "react";

import { Facts } from "../../components/Panel";
import { plainText } from "../../components/plainText";

const words = (name: string): string => {
  const spaced = name.replaceAll("_", " ").replace("sha256", "SHA-256");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};

const isLeaf = (value: unknown): boolean =>
  value === null || typeof value !== "object" || (Array.isArray(value) && value.every(isLeaf));

const INLINE_LIST = 60;
const IDENTIFIER = /^[0-9a-f-]{16,}$/;

function Leaf({ value }: { value: unknown }): ReactNode {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (typeof value === "number") return value.toLocaleString("en");
  const text = plainText(value);
  if (text === "") return <span className="muted">—</span>;
  if (Array.isArray(value) && text.length > INLINE_LIST) {
    return (
      <ol className="tree-list">
        {value.map((item, index) => (
          <li key={index}>{plainText(item)}</li>
        ))}
      </ol>
    );
  }
  return IDENTIFIER.test(text) ? <span className="mono">{text}</span> : text;
}

function Branch({ name, value }: { name: string; value: unknown }) {
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  return (
    <div className="tree-branch">
      <div className="muted">{words(name)}</div>
      {parts.map((part, index) => (
        <ValueTree key={index} value={part} />
      ))}
    </div>
  );
}

/** Any structure the hub describes, readable without knowing its shape. */
export function ValueTree({ value }: { value: unknown }) {
  if (isLeaf(value)) return <Leaf value={value} />;
  const entries: [string, unknown][] = Object.entries(value as object);
  if (entries.length === 0) return <span className="muted">Nothing more to tell</span>;
  const leaves = entries.filter(([, item]) => isLeaf(item));
  return (
    <div className="tree">
      {leaves.length > 0 && (
        <Facts items={leaves.map(([name, item]) => [words(name), <Leaf key={name} value={item} />])} />
      )}
      {entries
        .filter(([, item]) => !isLeaf(item))
        .map(([name, item]) => (
          <Branch key={name} name={name} value={item} />
        ))}
    </div>
  );
}
