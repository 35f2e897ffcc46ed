import { absolute, expiryTone, relative } from "./time";
import { useNow } from "./useNow";

/** `both`: absolute, with the relative beside it; `relative`: the other one is the tooltip. */
export function Time({ value, show = "both" }: { value: string | null | undefined; show?: "both" | "relative" }) {
  const now = useNow();
  if (!value) return <span className="muted">—</span>;
  const date = new Date(value);
  const both = show === "both";
  return (
    <time dateTime={value} title={both ? date.toLocaleString() : absolute(date)} className="num">
      {both ? absolute(date) : relative(date, now)}
      {both && <span className="cell-sub">{relative(date, now)}</span>}
    </time>
  );
}

/** An expiry: coloured and worded by how near it is. `ended` certificates are past caring. */
export function Expiry({ value, ended = false }: { value: string | null | undefined; ended?: boolean }) {
  const now = useNow();
  if (!value) return <span className="muted">—</span>;
  const date = new Date(value);
  const tone = ended ? "" : expiryTone(date, now);
  return (
    <time dateTime={value} title={date.toLocaleString()} className="num">
      {absolute(date, false)}
      <span className={tone ? `cell-sub tone-${tone}` : "cell-sub"}>{relative(date, now)}</span>
    </time>
  );
}
