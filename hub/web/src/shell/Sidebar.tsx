import { Link, NavLink } from "react-router";

import { useMay } from "../api/session";
import { Icon } from "../components/Icon";
import { NAVIGATION } from "./navigation";

export function Sidebar({ open, onNavigate }: { open: boolean; onNavigate: () => void }) {
  const may = useMay();
  const groups = NAVIGATION.map((group) => ({
    ...group,
    items: group.items.filter((item) => may(item.action)),
  })).filter((group) => group.items.length > 0);
  return (
    <div className="side" data-open={open}>
      <Link className="brand" to="/" onClick={onNavigate}>
        <Icon name="logo" size={24} />
        Certwright
      </Link>
      <nav aria-label="Main">
        {groups.map((group) => (
          <div key={group.title} className="nav-group">
            {group.title && <div className="nav-title">{group.title}</div>}
            {group.items.map((item) => (
              <NavLink key={item.to} to={item.to} end={item.to === "/"} className="nav-link" onClick={onNavigate}>
                <Icon name={item.icon} size={17} />
                {item.label}
              </NavLink>
            ))}
          </div>
        ))}
      </nav>
    </div>
  );
}
