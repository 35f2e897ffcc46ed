import type { ButtonHTMLAttributes, ReactNode } from "react";
import { Link, type LinkProps } from "react-router";

import { Icon, type IconName } from "./Icon";

interface Look {
  variant?: "default" | "primary" | "danger" | "danger-primary" | "quiet" | "link";
  small?: boolean;
  icon?: IconName | undefined;
  children?: ReactNode;
}

const VARIANT_CLASSES = {
  default: "",
  primary: "btn-primary",
  danger: "btn-danger",
  "danger-primary": "btn-danger btn-primary",
  quiet: "btn-quiet",
  link: "btn-link",
} as const;

function classes({ variant = "default", small, children }: Look): string {
  return ["btn", VARIANT_CLASSES[variant], small ? "btn-small" : "", children ? "" : "btn-icon"]
    .filter(Boolean)
    .join(" ");
}

type ButtonProps = Look & ButtonHTMLAttributes<HTMLButtonElement> & { busy?: boolean };

export function Button({ variant, small, icon, busy = false, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled === true || busy}
      aria-busy={busy || undefined}
      className={classes({ variant: variant ?? "default", small: small ?? false, children })}
    >
      {busy ? <Icon name="spinner" size={16} className="spin" /> : icon && <Icon name={icon} size={16} />}
      {children}
    </button>
  );
}

export function LinkButton({ variant, small, icon, children, ...rest }: Look & LinkProps) {
  return (
    <Link {...rest} className={classes({ variant: variant ?? "default", small: small ?? false, children })}>
      {icon && <Icon name={icon} size={16} />}
      {children}
    </Link>
  );
}
