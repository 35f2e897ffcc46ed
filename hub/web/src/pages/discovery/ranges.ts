/** Scan ranges as people write them, one a line: `10.0.0.0/24 443, 8443`. Without ports, 443 is meant. */

import type { TaskFields } from "../../api/types";

export type Range = Required<TaskFields["ranges"][number]>;

export const DEFAULT_PORTS: readonly string[] = ["443"];

export function parseRanges(text: string): Range[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const [target = "", ...rest] = line.split(/\s+/);
      const ports = rest.join(",").split(",").filter(Boolean);
      return { target, ports: ports.length > 0 ? ports : [...DEFAULT_PORTS] };
    });
}

export const rangesText = (ranges: readonly { target: string; ports?: readonly string[] }[]): string =>
  ranges.map((range) => `${range.target} ${(range.ports ?? DEFAULT_PORTS).join(", ")}`).join("\n");
