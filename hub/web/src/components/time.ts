/** Times for people: absolute in the reader's zone, and relative to now. */

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 365 * 86_400],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "long" });

const pad = (value: number): string => String(value).padStart(2, "0");

export const DATE_FORMATS = ["yyyy-mm-dd", "dd.mm.yyyy", "dd/mm/yyyy", "mm/dd/yyyy"] as const;

export type DateFormat = (typeof DATE_FORMATS)[number];

/** The installation's setting; the shell reads it once. */
let dateFormat: DateFormat = "yyyy-mm-dd";

export function setDateFormat(format: DateFormat): void {
  dateFormat = format;
}

/** In local time, and in the installation's format. */
export function absolute(date: Date, withTime = true, format: DateFormat = dateFormat): string {
  const parts: Readonly<Record<string, string>> = {
    yyyy: String(date.getFullYear()),
    mm: pad(date.getMonth() + 1),
    dd: pad(date.getDate()),
  };
  const day = format.replaceAll(/yyyy|mm|dd/g, (part) => parts[part] ?? part);
  return withTime ? `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}` : day;
}

/** "in 23 days", "4 minutes ago". Days are used up to two years, since certificates are counted in days. */
export function relative(date: Date, now: number): string {
  const seconds = Math.round((date.getTime() - now) / 1000);
  const size = Math.abs(seconds);
  if (size < 45) return seconds <= 0 ? "just now" : "in a moment";
  for (const [unit, unitSeconds] of STEPS) {
    const fits = size >= (unit === "year" ? 2 * unitSeconds : unitSeconds);
    if (fits) return RELATIVE.format(Math.trunc(seconds / unitSeconds), unit);
  }
  return RELATIVE.format(Math.sign(seconds), "minute");
}

export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const DAY_MS = 86_400_000;

export const daysUntil = (date: Date, now: number): number => Math.floor((date.getTime() - now) / DAY_MS);

/** How urgent an expiry is: 7 and 30 days are where people get nervous. */
export function expiryTone(date: Date, now: number): "bad" | "warn" | "" {
  const days = daysUntil(date, now);
  if (days < 7) return "bad";
  return days < 30 ? "warn" : "";
}
