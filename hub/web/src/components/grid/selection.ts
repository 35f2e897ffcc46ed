import { useState } from "react";

/** Rows that somebody has ticked, by their keys. */
export interface Selection {
  keys: ReadonlySet<string>;
  has: (key: string) => boolean;
  toggle: (key: string) => void;
  toggleAll: (keys: readonly string[]) => void;
  clear: () => void;
}

export function useSelection(): Selection {
  const [keys, setKeys] = useState<ReadonlySet<string>>(new Set());
  return {
    keys,
    has: (key) => keys.has(key),
    toggle: (key) => {
      const next = new Set(keys);
      if (!next.delete(key)) next.add(key);
      setKeys(next);
    },
    toggleAll: (all) => {
      setKeys(all.every((key) => keys.has(key)) ? new Set() : new Set([...keys, ...all]));
    },
    clear: () => {
      setKeys(new Set());
    },
  };
}
