import { useId, type ReactNode } from "react";

interface Props {
  title: ReactNode;
  actions?: ReactNode;
  /** Tables bring their own padding. */
  flush?: boolean;
  /** A remark below. */
  foot?: ReactNode;
  children: ReactNode;
}

export function Panel({ title, actions, flush = false, foot, children }: Props) {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id}>
      <div className="panel-head">
        <h2 id={id}>{title}</h2>
        {actions && <div className="panel-actions">{actions}</div>}
      </div>
      {flush ? children : <div className="panel-body">{children}</div>}
      {foot && <div className="panel-foot muted small">{foot}</div>}
    </section>
  );
}

export type Fact = readonly [label: string, value: ReactNode];

/** Labels and values; what is not known is left out. */
export function Facts({ items }: { items: readonly Fact[] }) {
  const known = items.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return (
    <dl className="facts">
      {known.map(([label, value]) => (
        <div key={label} className="facts-pair">
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
