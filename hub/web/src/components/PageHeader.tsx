import type { ReactNode } from "react";

interface Props {
  title: ReactNode;
  /** Badges and the like, beside the title. */
  aside?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
}

export function PageHeader({ title, aside, actions, children }: Props) {
  return (
    <header className="page-head">
      <div className="page-head-text">
        <div className="row">
          <h1>{title}</h1>
          {aside}
        </div>
        {children && <p className="muted small">{children}</p>}
      </div>
      {actions && <div className="page-head-actions">{actions}</div>}
    </header>
  );
}
