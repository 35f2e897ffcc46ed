import { useQuery } from "@tanstack/react-query";

import { get } from "../../api/client";
import { Button } from "../../components/Button";
import { Loaded } from "../../components/Loaded";
import type { CalendarEvent, CalendarRange } from "./types";
import { WEEKDAYS } from "./vocabulary";

const DAY_MS = 86_400_000;
const MONTH_NAME = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });
const HOUR = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

const iso = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** The weeks of a month, Monday first; times are midnights of UTC. */
export function weeksOf(year: number, month: number): number[][] {
  const first = Date.UTC(year, month, 1);
  const shift = (new Date(first).getUTCDay() + 6) % 7;
  const last = Date.UTC(year, month + 1, 0);
  const weeks: number[][] = [];
  for (let monday = first - shift * DAY_MS; monday <= last; monday += 7 * DAY_MS) {
    weeks.push(Array.from({ length: 7 }, (_, day) => monday + day * DAY_MS));
  }
  return weeks;
}

/** What touches a day. */
export const eventsOn = (events: readonly CalendarEvent[], day: number): CalendarEvent[] =>
  events.filter((event) => new Date(event.start).getTime() < day + DAY_MS && new Date(event.end).getTime() > day);

function EventMark({ event, day }: { event: CalendarEvent; day: number }) {
  const start = new Date(event.start).getTime();
  const end = new Date(event.end).getTime();
  const whole = start <= day && end >= day + DAY_MS;
  const hours = `${HOUR.format(Math.max(start, day))}–${end >= day + DAY_MS ? "24:00" : HOUR.format(end)}`;
  const kind = event.kind === "freeze" ? "Freeze" : "Maintenance window";
  return (
    <li className="month-event" data-kind={event.kind} title={`${kind} ${event.name}, ${whole ? "all day" : hours} UTC`}>
      {!whole && <span className="num small">{hours} </span>}
      {event.name}
      <span className="visually-hidden">, {kind}</span>
    </li>
  );
}

interface Shown {
  year: number;
  month: number;
}

export function MonthView({ shown, onShow }: { shown: Shown; onShow: (shown: Shown) => void }) {
  const weeks = weeksOf(shown.year, shown.month);
  const begin = weeks[0]?.[0] ?? 0;
  const end = (weeks.at(-1)?.[6] ?? 0) + DAY_MS;
  const query = useQuery({
    queryKey: ["renewals", "calendar", begin],
    queryFn: ({ signal }) => get<CalendarRange>("/renewals/calendar", { begin: iso(begin), end: iso(end) }, signal),
  });
  const step = (months: number) => {
    const next = new Date(Date.UTC(shown.year, shown.month + months, 1));
    onShow({ year: next.getUTCFullYear(), month: next.getUTCMonth() });
  };
  const title = MONTH_NAME.format(Date.UTC(shown.year, shown.month, 1));
  return (
    <section className="panel" aria-label="Calendar">
      <div className="panel-head">
        <h2 aria-live="polite">{title}</h2>
        <div className="panel-actions">
          <Button small aria-label="Month before" onClick={() => { step(-1); }}>
            ←
          </Button>
          <Button small onClick={() => { const now = new Date(); onShow({ year: now.getUTCFullYear(), month: now.getUTCMonth() }); }}>
            Today
          </Button>
          <Button small aria-label="Month after" onClick={() => { step(1); }}>
            →
          </Button>
        </div>
      </div>
      <Loaded query={query}>
        {({ events, truncated }) => (
          <div className="plain-wrap">
            <table className="month" aria-label={title}>
              <thead>
                <tr>
                  {WEEKDAYS.map((name) => (
                    <th key={name} scope="col">
                      {name.slice(0, 3)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {weeks.map((week) => (
                  <tr key={week[0]}>
                    {week.map((day) => (
                      <td
                        key={day}
                        data-other={new Date(day).getUTCMonth() !== shown.month || undefined}
                        data-today={iso(day) === iso(Date.now()) || undefined}
                      >
                        <span className="month-day num">{new Date(day).getUTCDate()}</span>
                        <ul>
                          {eventsOn(events, day).map((event) => (
                            <EventMark key={`${event.kind}${event.entry_id}${event.start}`} event={event} day={day} />
                          ))}
                        </ul>
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
            <p className="month-foot muted small">
              Days and hours of UTC. {truncated && "There is more than can be shown."}
            </p>
          </div>
        )}
      </Loaded>
    </section>
  );
}
