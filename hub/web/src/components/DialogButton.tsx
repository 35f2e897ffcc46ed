import { useState, type ReactNode } from "react";

import { Button } from "./Button";
import type { IconName } from "./Icon";

interface Props {
  label: string;
  icon?: IconName;
  variant?: "default" | "primary" | "link" | "danger";
  small?: boolean;
  disabled?: boolean;
  /** The dialog, which is there only while it is open. */
  children: (close: () => void) => ReactNode;
}

/** A button and the dialog that it opens. */
export function DialogButton({ label, icon, variant = "default", small = false, disabled = false, children }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button
        icon={icon}
        variant={variant}
        small={small}
        disabled={disabled}
        onClick={() => {
          setOpen(true);
        }}
      >
        {label}
      </Button>
      {open &&
        children(() => {
          setOpen(false);
        })}
    </>
  );
}
