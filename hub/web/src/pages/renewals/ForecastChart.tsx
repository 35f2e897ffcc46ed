import type { Forecast } from "./types";
import { type Bar, barsOf, dayAfter, DAYS_A_WEEK, niceAbove, quotaOfBar } from "./weeks";

const WIDTH = 960;
const HEIGHT = 300;
const LEFT = 56;
const BOTTOM = 34;
const TOP = 22;
const COLOURS = 6;

interface Scale {
  x: (bar: number) => number;
  y: (value: number) => number;
  barWidth: number;
  most: number;
}

function scaleOf(bars: readonly Bar[], quota: number | null): Scale {
  const top = Math.max(1, ...bars.map((bar) => bar.total), Math.min(quota ?? 0, 4 * Math.max(1, ...bars.map((bar) => bar.total))));
  const most = niceAbove(top);
  const step = (WIDTH - LEFT) / bars.length;
  return {
    most,
    barWidth: Math.max(1, step * 0.8),
    x: (bar) => LEFT + bar * step + step * 0.1,
    y: (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most),
  };
}

function Axes({ scale, bars }: { scale: Scale; bars: readonly Bar[] }) {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => share * scale.most);
  const months = bars
    .map((bar, index) => ({ month: bar.from.slice(0, 7), index }))
    .filter(({ month, index }) => index === 0 || month !== bars[index - 1]?.from.slice(0, 7))
    // What is left of the first month may be too short for its name.
    .filter(({ index }, position, all) => (all[position + 1]?.index ?? bars.length) - index > bars.length / 20);
  return (
    <g className="chart-axes">
      {ticks.map((tick) => (
        <g key={tick}>
          <line x1={LEFT} x2={WIDTH} y1={scale.y(tick)} y2={scale.y(tick)} />
          <text x={LEFT - 6} y={scale.y(tick) + 4} textAnchor="end">
            {tick.toLocaleString("en")}
          </text>
        </g>
      ))}
      {months.map(({ month, index }) => (
        <text key={month} x={scale.x(index)} y={HEIGHT - BOTTOM + 18}>
          {month}
        </text>
      ))}
    </g>
  );
}

function StackedBar({ bar, index, scale, names }: { bar: Bar; index: number; scale: Scale; names: readonly string[] }) {
  const below = bar.parts.map((_, part) => bar.parts.slice(0, part).reduce((sum, count) => sum + count, 0));
  const words = bar.parts.map((count, part) => `${names[part] ?? ""}: ${count.toLocaleString("en")}`).join(", ");
  return (
    <g>
      <title>{`From ${bar.from}: ${words}${bar.excess > 0 ? `; ${bar.excess.toLocaleString("en")} beyond the quota` : ""}`}</title>
      {bar.parts.map((count, part) =>
        count > 0 ? (
          <rect
            key={names[part]}
            className={`chart-bar chart-${part % COLOURS}`}
            x={scale.x(index)}
            width={scale.barWidth}
            y={scale.y((below[part] ?? 0) + count)}
            height={scale.y(below[part] ?? 0) - scale.y((below[part] ?? 0) + count)}
          />
        ) : null,
      )}
      {bar.excess > 0 && (
        <rect
          className="chart-excess"
          x={scale.x(index)}
          width={scale.barWidth}
          y={scale.y(bar.total)}
          height={scale.y(bar.total - bar.excess) - scale.y(bar.total)}
        />
      )}
    </g>
  );
}

function Line({ y, text, className }: { y: number; text: string; className: string }) {
  return (
    <g className={className}>
      <line x1={LEFT} x2={WIDTH} y1={y} y2={y} />
      <text x={WIDTH - 4} y={y - 5} textAnchor="end">
        {text}
      </text>
    </g>
  );
}

/** Renewals a week (or a day), stacked by CA; the table beside it says the same in numbers. */
export function ForecastChart({ forecast, daily }: { forecast: Forecast; daily: boolean }) {
  const each = daily ? 1 : DAYS_A_WEEK;
  const bars = barsOf(forecast, each);
  const quota = quotaOfBar(forecast, each);
  const scale = scaleOf(bars, quota);
  const names = forecast.backends.map((backend) => backend.name);
  const broken = bars.findIndex((bar) => forecast.breaks_on !== null && dayAfter(bar.from, each) > forecast.breaks_on);
  const unit = daily ? "day" : "week";
  return (
    <figure className="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`Renewals a ${unit}. ${forecast.sentence}`}>
        <Axes scale={scale} bars={bars} />
        {bars.map((bar, index) => (
          <StackedBar key={bar.from} bar={bar} index={index} scale={scale} names={names} />
        ))}
        {quota !== null && quota <= scale.most && (
          <Line className="chart-quota" y={scale.y(quota)} text={`Quota: ${quota.toLocaleString("en", { maximumFractionDigits: 1 })} a ${unit}`} />
        )}
        {broken >= 0 && (
          <g className="chart-break">
            <line x1={scale.x(broken)} x2={scale.x(broken)} y1={TOP - 6} y2={HEIGHT - BOTTOM} />
            <text x={scale.x(broken) + (broken > bars.length / 2 ? -6 : 6)} y={TOP + 4} textAnchor={broken > bars.length / 2 ? "end" : "start"}>
              {`Breaks on ${forecast.breaks_on ?? ""}`}
            </text>
          </g>
        )}
      </svg>
      <figcaption className="row small">
        {names.map((name, index) => (
          <span key={name} className="row">
            <span className={`chart-key chart-${index % COLOURS}`} aria-hidden="true" />
            {name}
          </span>
        ))}
        {forecast.breaks_on !== null && (
          <span className="row">
            <span className="chart-key chart-key-excess" aria-hidden="true" />
            Beyond the quota
          </span>
        )}
      </figcaption>
    </figure>
  );
}
