import { useEffect, useRef, useState } from "react";
import { Outlet, useLocation } from "react-router";

import { Button } from "../components/Button";
import { Crumbs } from "./Crumbs";
import { useLive } from "./live";
import { LiveIndicator } from "./LiveIndicator";
import { NoticeBell } from "./NoticeBell";
import { Sidebar } from "./Sidebar";
import { useDateFormat } from "./useDateFormat";
import { UserMenu } from "./UserMenu";

/** The frame of the signed-in console. */
export function Shell() {
  const live = useLive();
  useDateFormat();
  const { pathname } = useLocation();
  const [menuOpen, setMenuOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const closeMenu = () => {
    setMenuOpen(false);
  };

  useEffect(() => {
    // A new page begins at its top, for eyes and for screen readers.
    main.current?.scrollTo(0, 0);
  }, [pathname]);

  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to content
      </a>
      <Sidebar open={menuOpen} onNavigate={closeMenu} />
      {menuOpen && <button type="button" className="side-scrim" aria-label="Close menu" onClick={closeMenu} />}
      <div className="main">
        <header className="topbar">
          <span className="menu-button">
            <Button
              variant="quiet"
              icon="menu"
              aria-label="Menu"
              aria-expanded={menuOpen}
              onClick={() => {
                setMenuOpen(!menuOpen);
              }}
            />
          </span>
          <Crumbs />
          <div className="topbar-end">
            <LiveIndicator state={live} />
            <NoticeBell />
            <UserMenu />
          </div>
        </header>
        <main id="main" className="page" ref={main} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
    </div>
  );
}
