/** Icons: drawn for this console on a grid of 20, stroked with the text's colour. */

const PATHS = {
  logo: "M10 2.5 16.5 5v5.2c0 3.7-2.6 6.2-6.5 7.4-3.9-1.2-6.5-3.7-6.5-7.4V5z M6.9 10l2.2 2.3 4-4.4",
  dashboard: "M3 3.5h5.5v6H3z M11.5 3.5H17v3.5h-5.5z M11.5 10H17v6.5h-5.5z M3 12.5h5.5v4H3z",
  certificate: "M4 3h12v9H4z M7 6h6 M7 9h3 M12.5 12v5l1.7-1 1.8 1v-5",
  discovery: "M10 10 15 5 M10 3a7 7 0 1 0 7 7 M10 6.5a3.5 3.5 0 1 0 3.5 3.5",
  endpoint: "M3 5h14v4H3z M3 11h14v4H3z M6 7h.01 M6 13h.01 M14 7h-3 M14 13h-3",
  agent: "M5 4h10v8H5z M8 16h4 M10 12v4 M8 7.5h.01 M12 7.5h.01",
  command: "M4 5l4 4-4 4 M10 14h6",
  token: "M12.5 3.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M9.6 10.4 4 16v1h3v-2h2v-2",
  organization: "M4 17V4h7v13 M11 8h5v9 M2.5 17h15 M6.5 7h2 M6.5 10h2 M6.5 13h2 M13.5 11h.01 M13.5 14h.01",
  domain: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4z M3 10h14 M10 3c2.6 2 2.6 12 0 14 M10 3c-2.6 2-2.6 12 0 14",
  profile: "M4 5h12 M4 10h12 M4 15h12 M7 3.5v3 M13 8.5v3 M9 13.5v3",
  authority: "M10 3l7 3.5H3z M5 9v5 M8.5 9v5 M11.5 9v5 M15 9v5 M3 16.5h14",
  audit: "M5 2.5h7l3.5 3.5v11.5H5z M12 2.5V6h3.5 M7.5 10h5 M7.5 13h5",
  people: "M7.5 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6z M2 17c0-3.6 2.2-5.5 5.5-5.5S13 13.4 13 17 M13 3.4a3 3 0 0 1 0 5.4 M15 12c2 .7 3 2.4 3 5",
  user: "M10 9.5a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6z M3.8 17.2c.4-3.7 2.7-5.5 6.2-5.5s5.8 1.8 6.2 5.5",
  api: "M7 5 2.5 10 7 15 M13 5l4.5 5-4.5 5",
  search: "M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11z M13 13l4 4",
  filter: "M3 4.5h14L11.5 11v5l-3-1.5V11z",
  columns: "M3 4h14v12H3z M8 4v12 M12.5 4v12",
  download: "M10 3v9 M6 8.5l4 4 4-4 M3.5 16.5h13",
  refresh: "M16 6.5A7 7 0 1 0 17 10 M16.5 3v4h-4",
  plus: "M10 4v12 M4 10h12",
  close: "M5 5l10 10 M15 5 5 15",
  check: "M4 10.5l4 4 8-9",
  chevron: "M5.5 8l4.5 4.5L14.5 8",
  up: "M6 11.5 10 7.5l4 4",
  down: "M6 8.5l4 4 4-4",
  back: "M12.5 4.5 7 10l5.5 5.5",
  menu: "M3 5.5h14 M3 10h14 M3 14.5h14",
  sun: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z M10 2v2 M10 16v2 M2 10h2 M16 10h2 M4.4 4.4l1.4 1.4 M14.2 14.2l1.4 1.4 M15.6 4.4l-1.4 1.4 M5.8 14.2l-1.4 1.4",
  moon: "M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z",
  system: "M3 4h14v9.5H3z M7.5 16.5h5 M10 13.5v3",
  warning: "M10 3 18 16.5H2z M10 8v4 M10 14.2h.01",
  error: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4z M10 6.5V11 M10 13.5h.01",
  info: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4z M10 9.3V14 M10 6.5h.01",
  clock: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4z M10 6v4.3l3 1.7",
  dot: "M10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  minus: "M5 10h10",
  copy: "M7 7h9v10H7z M13 7V3H4v10h3",
  external: "M8 4H4v12h12v-4 M11.5 3.5h5v5 M16.5 3.5 9 11",
  key: "M6.5 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z M9 9.5 16 3 M13 6l2.5 2.5",
  renew: "M4 9a6 6 0 0 1 10.5-3.5L16 7 M16 3v4h-4 M16 11a6 6 0 0 1-10.5 3.5L4 13 M4 17v-4h4",
  calendar: "M3 5h14v12H3z M3 8.5h14 M6.5 3v3.5 M13.5 3v3.5 M6.5 12h.01 M10 12h.01 M13.5 12h.01",
  chart: "M3 3v14h14 M6.5 14v-4 M10 14V6 M13.5 14V9",
  hourglass: "M5 3h10 M5 17h10 M6 3c0 4 4 5 4 7s-4 3-4 7 M14 3c0 4-4 5-4 7s4 3 4 7",
  play: "M6 4l10 6-10 6z",
  stop: "M5 5h10v10H5z",
  trash: "M4 5.5h12 M8 5.5V3.5h4v2 M5.5 5.5l.8 11h7.4l.8-11",
  edit: "M4 16l.8-3.4L13 4.4l2.6 2.6-8.2 8.2z",
  spinner: "M10 3a7 7 0 1 1-7 7",
  bell: "M10 3a5 5 0 0 0-5 5c0 4.5-1.8 5.5-1.8 6.5h13.6c0-1-1.8-2-1.8-6.5a5 5 0 0 0-5-5z M8.3 16.8a1.8 1.8 0 0 0 3.4 0",
  empty: "M3 11 5 4h10l2 7v5H3z M3 11h4l1 2h4l1-2h4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18, className }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg
      className={className}
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={size > 24 ? 1.1 : 1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
