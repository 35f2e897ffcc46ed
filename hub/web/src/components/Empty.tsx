import type { ReactNode } from "react";

import { Icon, type IconName } from "./Icon";

interface Props {
  title: string;
  icon?: IconName;
  children?: ReactNode;
  action?: ReactNode;
}

/** Nothing to show: says why, and what to do next. */
export function Empty({ title, icon = "empty", children, action }: Props) {
  return (
    <div className="empty">
      <Icon name={icon} size={36} />
      <h2>{title}</h2>
      {children && <p className="muted">{children}</p>}
      {action}
    </div>
  );
}
