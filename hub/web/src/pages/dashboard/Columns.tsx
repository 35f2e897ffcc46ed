import { Link } from "react-router";

export interface ColumnValue {
  key: string;
  /** Under the column; empty: the column goes without. */
  tick: string;
  /** For readers of the column alone. */
  text: string;
  values: readonly number[];
  to?: string | undefined;
}

interface Props {
  columns: readonly ColumnValue[];
  /** What the values are, first to last. */
  legend: readonly string[];
}

const height = (value: number, most: number): string => `${value > 0 ? Math.max(2, (100 * value) / most) : 0}%`;

/** Columns side by side over time, each a link to what it counts. */
export function ColumnChart({ columns, legend }: Props) {
  const most = Math.max(1, ...columns.flatMap((column) => column.values));
  return (
    <figure className={columns.length > 31 ? "chart chart-dense" : "chart"}>
      <div className="chart-columns">
        {columns.map((column) => {
          const bars = (
            <>
              <span className="visually-hidden">{column.text}</span>
              <span className="chart-bars" aria-hidden="true">
                {column.values.map((value, index) => (
                  <span
                    key={legend[index]}
                    className={`chart-bar chart-bar-${index}`}
                    style={{ height: height(value, most) }}
                  />
                ))}
              </span>
              {column.tick && (
                <span className="chart-tick" aria-hidden="true">
                  {column.tick}
                </span>
              )}
            </>
          );
          return column.to ? (
            <Link key={column.key} className="chart-column" to={column.to} title={column.text}>
              {bars}
            </Link>
          ) : (
            <span key={column.key} className="chart-column" title={column.text}>
              {bars}
            </span>
          );
        })}
      </div>
      {legend.length > 1 && (
        <figcaption className="chart-legend">
          {legend.map((text, index) => (
            <span key={text}>
              <span className={`chart-key chart-bar-${index}`} aria-hidden="true" /> {text}
            </span>
          ))}
        </figcaption>
      )}
    </figure>
  );
}
