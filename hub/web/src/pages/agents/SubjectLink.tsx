import { Link } from "react-router";

const PATHS: Readonly<Record<string, readonly [string, string]>> = {
  certificate: ["/certificates/ssl/", "Certificate"],
  scan: ["/discovery/scans/", "Scan"],
  discovery_scan: ["/discovery/scans/", "Scan"],
  agent: ["/agents/", "Agent"],
};

/** What a command or an audit entry is about, with a link where there is a page for it. */
export function SubjectLink({ type, id }: { type: string; id: string }) {
  const [path, words] = PATHS[type] ?? [null, type.replaceAll("_", " ")];
  const text = type === "agent" ? words : `${words} ${id}`;
  return path ? <Link to={path + id}>{text}</Link> : <>{text}</>;
}
