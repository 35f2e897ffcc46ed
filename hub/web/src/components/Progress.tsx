/** A share from 0 to 1; negative while it can't be told. */
export function Progress({ share, label }: { share: number; label: string }) {
  const known = share >= 0;
  return (
    <span className="meter">
      <progress max={1} value={known ? share : undefined} aria-label={label} />
      <span className="num small">{known ? `${Math.floor(share * 100)} %` : "…"}</span>
    </span>
  );
}
