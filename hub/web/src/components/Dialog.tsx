import { useEffect, useId, useRef, type ReactNode } from "react";

import { Button } from "./Button";

interface Props {
  title: string;
  onClose: () => void;
  wide?: boolean;
  /** Closing by Escape would lose something that is shown only once. */
  sticky?: boolean;
  children: ReactNode;
}

/** The browser would take the close button. */
const FIRST_FIELD = ".dialog-body :is(input, select, textarea):not(:disabled), .form-actions .btn";

/** A modal dialog; it exists only while it is open. The browser keeps the focus inside and gives it back. */
export function Dialog({ title, onClose, wide = false, sticky = false, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();

  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>(FIRST_FIELD)?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);

  return (
    <dialog
      ref={ref}
      className={wide ? "dialog dialog-wide" : "dialog"}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        if (!sticky) onClose();
      }}
      onClose={() => {
        // Browsers obey a second Escape whatever was said to the first.
        if (sticky && ref.current?.open === false) ref.current.showModal();
      }}
    >
      <div className="dialog-head">
        <h2 id={id}>{title}</h2>
        {!sticky && <Button variant="quiet" icon="close" aria-label="Close" onClick={onClose} />}
      </div>
      <div className="dialog-body">{children}</div>
    </dialog>
  );
}
