import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

import { Button } from "./Button";
import type { IconName } from "./Icon";

interface Props {
  label: string;
  icon?: IconName;
  /** Only the icon is seen. */
  iconOnly?: boolean;
  variant?: "default" | "quiet" | "primary";
  align?: "start" | "end";
  wide?: boolean;
  children: (close: () => void) => ReactNode;
}

const FOCUSABLE = "button:not(:disabled), a[href], input:not(:disabled), select:not(:disabled)";

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const target = event.target as HTMLElement;
  if (step === undefined || target.matches("select, input:not([type=checkbox])")) return;
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>(FOCUSABLE)];
  const next = items[(items.indexOf(target) + step + items.length) % items.length];
  next?.focus();
  event.preventDefault();
}

/** A button that opens a panel of items or small forms; Escape and a click outside close it. */
export function Menu({ label, icon, iconOnly, variant = "default", align = "end", wide, children }: Props) {
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => {
    setOpen(false);
  };

  useEffect(() => {
    const element = anchor.current;
    if (!open || !element) return undefined;
    element.querySelector(".menu")?.querySelector<HTMLElement>(FOCUSABLE)?.focus();
    const onPointer = (event: PointerEvent) => {
      if (!element.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointer);
    return () => {
      document.removeEventListener("pointerdown", onPointer);
      // What was focused in the menu is gone with it.
      if (document.activeElement === document.body) element.querySelector("button")?.focus();
    };
  }, [open]);

  return (
    <div
      className="menu-anchor"
      ref={anchor}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        close();
      }}
    >
      <Button
        variant={variant}
        icon={icon}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={iconOnly ? label : undefined}
        title={iconOnly ? label : undefined}
        onClick={() => {
          setOpen(!open);
        }}
      >
        {iconOnly ? undefined : <span className="btn-text">{label}</span>}
      </Button>
      {open && (
        <div id={id} className={wide ? "menu menu-wide" : "menu"} data-align={align} onKeyDown={moveFocus}>
          {children(close)}
        </div>
      )}
    </div>
  );
}
