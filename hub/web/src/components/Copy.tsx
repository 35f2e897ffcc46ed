import type { ReactNode } from "react";

import { Button } from "./Button";
import { useToast } from "./toasts";

interface Props {
  text: string;
  label: string;
  block?: boolean;
  /** Other buttons beside that of a block. */
  actions?: ReactNode;
}

/** A value that people paste elsewhere, with a button for it. */
export function Copy({ text, label, block = false, actions }: Props) {
  const toast = useToast();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast(`${label} copied`);
    } catch {
      toast("The browser does not allow copying; select the text instead", "bad");
    }
  };
  const button = (
    <Button small variant="quiet" icon="copy" aria-label={`Copy ${label}`} title="Copy" onClick={() => void copy()} />
  );
  if (block) {
    return (
      <div className="stack-s">
        <pre className="code-block">{text}</pre>
        <div className="row">
          <Button small icon="copy" onClick={() => void copy()}>
            Copy {label}
          </Button>
          {actions}
        </div>
      </div>
    );
  }
  return (
    <span className="copy">
      <span className="mono breakable">{text}</span>
      {button}
    </span>
  );
}
