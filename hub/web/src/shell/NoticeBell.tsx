import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";

import { get, post, remove } from "../api/client";
import type { Page } from "../api/lists";
import { Icon, type IconName } from "../components/Icon";
import { Menu } from "../components/Menu";
import { Time } from "../components/Time";
import type { Notice } from "../pages/notifications/types";

const ROOT = "notices";
const LOOK_MS = 30_000;
const SHOWN = 20;
const ICONS: Readonly<Record<string, IconName>> = { error: "error", warning: "warning", success: "check" };

function useUnread() {
  return useQuery({
    queryKey: [ROOT, "unread"],
    queryFn: () => get<{ unread: number }>("/notices/unread"),
    refetchInterval: LOOK_MS,
  });
}

function useChange(change: (id: number | null) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ queryKey: [ROOT] }),
  });
}

const markRead = (id: number | null) => post(id === null ? "/notices/read" : `/notices/${id}/read`);
const dismiss = (id: number | null) => remove(id === null ? "/notices" : `/notices/${id}`);

function Entry({ notice, onOpen, onDelete }: { notice: Notice; onOpen: () => void; onDelete: () => void }) {
  const icon = ICONS[notice.severity] ?? "info";
  return (
    <li className="bell-notice" data-unread={notice.read_at === null}>
      <Link className="bell-notice-link" to={notice.path || "/"} onClick={onOpen}>
        <Icon name={icon} size={16} className={`bell-notice-${notice.severity}`} />
        <span>
          <span className="bell-notice-subject">{notice.subject}</span>
          <span className="muted">
            {notice.read_at === null && <span className="visually-hidden">Unread. </span>}
            <Time value={notice.created_at} />
          </span>
        </span>
      </Link>
      <button type="button" className="icon-button" aria-label={`Delete: ${notice.subject}`} title="Delete" onClick={onDelete}>
        <Icon name="close" size={14} />
      </button>
    </li>
  );
}

function Notices({ close }: { close: () => void }) {
  const query = useQuery({
    queryKey: [ROOT, "latest"],
    queryFn: () => get<Page<Notice>>("/notices", { limit: SHOWN }),
  });
  const read = useChange(markRead);
  const gone = useChange(dismiss);
  const items = query.data?.items ?? [];
  return (
    <div className="bell-notices" role="group" aria-label="Notifications">
      <div className="bell-head">
        <div className="menu-title">Notifications</div>
        <button type="button" className="link-button" disabled={items.length === 0} onClick={() => { read.mutate(null); }}>
          Mark all as read
        </button>
        <button type="button" className="link-button" disabled={items.length === 0} onClick={() => { gone.mutate(null); }}>
          Delete all
        </button>
      </div>
      {query.isSuccess && items.length === 0 && <p className="muted bell-none">Nothing new for you.</p>}
      <ul className="bell-list">
        {items.map((notice) => (
          <Entry
            key={notice.id}
            notice={notice}
            onOpen={() => {
              if (notice.read_at === null) read.mutate(notice.id);
              close();
            }}
            onDelete={() => { gone.mutate(notice.id); }}
          />
        ))}
      </ul>
    </div>
  );
}

/** One's own notices: how many are unread, and the latest. */
export function NoticeBell() {
  const { data } = useUnread();
  const unread = data?.unread ?? 0;
  return (
    <span className="bell">
      <Menu label={unread > 0 ? `Notifications, ${unread} unread` : "Notifications"} icon="bell" iconOnly variant="quiet" wide>
        {(close) => <Notices close={close} />}
      </Menu>
      {unread > 0 && (
        <span className="bell-count" aria-hidden="true">
          {unread > 99 ? "99+" : unread}
        </span>
      )}
    </span>
  );
}
