import { Fragment, type ReactNode } from "react";
import { Link } from "react-router";

import type { Share } from "../../api/types";
import { Panel } from "../../components/Panel";
import { listOf, number } from "./figures";

/** Bars grow with the square root, so that ten next to ten thousand are still seen. */
const width = (count: number, most: number): string => `${Math.max(1, Math.round(100 * Math.sqrt(count / most)))}%`;

interface Props {
  shares: readonly Share[];
  path?: string;
  label?: (share: Share) => ReactNode;
}

/** Parts of a whole, each leading to the list of what it counts. */
export function ShareBars({ shares, path = "/certificates/ssl", label = (share) => share.label }: Props) {
  const most = Math.max(1, ...shares.map((share) => share.count));
  return (
    <div className="bars">
      {shares.map((share) => (
        <Fragment key={share.label}>
          {share.filters.length > 0 ? (
            <Link className="bar-label" to={listOf(path, share.filters)} title={share.label}>
              {label(share)}
            </Link>
          ) : (
            <span className="bar-label muted">{label(share)}</span>
          )}
          <div className="bar-track" aria-hidden="true">
            <div className="bar-fill" style={{ width: width(share.count, most) }} />
          </div>
          <span className="num">{number(share.count)}</span>
        </Fragment>
      ))}
    </div>
  );
}

/** A panel of shares; none at all is said, not hidden. */
export function SharePanel({ title, foot, ...rest }: Props & { title: string; foot?: ReactNode }) {
  return (
    <Panel title={title} foot={foot}>
      {rest.shares.length > 0 ? <ShareBars {...rest} /> : <p className="muted">None.</p>}
    </Panel>
  );
}
