import { Fragment } from "react";
import { Link } from "react-router";

import { filterText } from "../../api/lists";
import { Status } from "../../components/Badge";
import type { StatusFigure } from "./figures";

/** Bars grow with the square root, so that ten next to ten thousand are still seen. */
const width = (count: number, most: number): string => `${Math.max(1, Math.round(100 * Math.sqrt(count / most)))}%`;

export function StatusBars({ rows }: { rows: readonly StatusFigure[] }) {
  const most = Math.max(...rows.map((row) => row.figure.count));
  return (
    <div className="bars">
      {rows.map(({ status, figure }) => {
        const filter = filterText({ column: "status", op: "eq", value: status });
        return (
          <Fragment key={status}>
            <Link to={`/certificates/ssl?filter=${encodeURIComponent(filter)}`}>
              <Status value={status} />
            </Link>
            <div className="bar-track" aria-hidden="true">
              <div className="bar-fill" style={{ width: width(figure.count, most) }} />
            </div>
            <span className="num">
              {figure.count.toLocaleString("en")}
              {figure.exact ? "" : "+"}
            </span>
          </Fragment>
        );
      })}
    </div>
  );
}
