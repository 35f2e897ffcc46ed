import type { SessionRow } from "../../api/types";
import type { GridColumn } from "../../components/grid/columns";
import { EndSession } from "./EndSession";
import { browserWords, methodWords } from "./sessionWords";

/** Columns of sessions; `path` is where they are ended, null: nowhere. */
export const sessionColumns = (path: string | null): readonly GridColumn<SessionRow>[] => [
  { name: "username", label: "User name", width: 150, hidden: path === "/profile/sessions" },
  { name: "remote", label: "Address", sortable: false, width: 150, render: (row) => <span className="mono">{row.remote}</span> },
  { name: "user_agent", label: "Browser", sortable: false, width: 200, render: (row) => <span title={row.user_agent}>{browserWords(row.user_agent)}</span> },
  { name: "methods", label: "Signed in by", sortable: false, filterable: false, width: 200, render: (row) => methodWords(row.methods) },
  { name: "created_at", label: "Signed in", kind: "time" },
  { name: "last_seen_at", label: "Last seen", kind: "time" },
  { name: "expires_at", label: "Ends", kind: "time", hidden: true },
  {
    name: "id",
    label: "",
    sortable: false,
    filterable: false,
    width: 90,
    render: (row) => path && <EndSession session={row} path={path} />,
  },
];
