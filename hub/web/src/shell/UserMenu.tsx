import { useState } from "react";
import { Link } from "react-router";

import { useSession, useSignOut } from "../api/session";
import { Icon, type IconName } from "../components/Icon";
import { Menu } from "../components/Menu";
import { applyTheme, storedTheme, type Theme, THEMES } from "../components/theme";
import { PasswordDialog } from "../pages/account/PasswordDialog";

const THEME_LABELS: Readonly<Record<Theme, readonly [IconName, string]>> = {
  system: ["system", "As the system"],
  light: ["sun", "Light"],
  dark: ["moon", "Dark"],
};

export function ThemeItems() {
  const [theme, setTheme] = useState(storedTheme);
  return (
    <div role="group" aria-label="Colours">
      <div className="menu-title">Colours</div>
      {THEMES.map((item) => (
        <button
          key={item}
          type="button"
          className="menu-item"
          aria-pressed={item === theme}
          onClick={() => {
            applyTheme(item);
            setTheme(item);
          }}
        >
          <Icon name={THEME_LABELS[item][0]} size={16} />
          {THEME_LABELS[item][1]}
          {item === theme && <Icon name="check" size={15} />}
        </button>
      ))}
    </div>
  );
}

export function UserMenu() {
  const session = useSession();
  const signOut = useSignOut();
  const [changing, setChanging] = useState(false);
  const roles = [...new Set(session.grants.map((grant) => grant.role))].join(", ");
  return (
    <>
      <Menu label={session.name} icon="user" variant="quiet">
        {(close) => (
          <>
            <div className="menu-title">
              {session.name} · {roles}
            </div>
            <Link className="menu-item" to="/profile" onClick={close}>
              <Icon name="user" size={16} />
              My profile
            </Link>
            <button
              type="button"
              className="menu-item"
              onClick={() => {
                close();
                setChanging(true);
              }}
            >
              <Icon name="key" size={16} />
              Change password
            </button>
            <Link className="menu-item" to="/api-tokens" onClick={close}>
              <Icon name="api" size={16} />
              API tokens
            </Link>
            <ThemeItems />
            <div className="menu-title">Session</div>
            <button type="button" className="menu-item" onClick={() => void signOut()}>
              <Icon name="external" size={16} />
              Sign out
            </button>
          </>
        )}
      </Menu>
      {changing && (
        <PasswordDialog
          onClose={() => {
            setChanging(false);
          }}
        />
      )}
    </>
  );
}
