import { useCallback, useRef, useState, type ReactNode } from "react";

import { Button } from "./Button";
import { Icon } from "./Icon";
import { ToastContext, type ShowToast, type ToastTone } from "./toasts";

interface Toast {
  id: number;
  text: string;
  tone: ToastTone;
}

const SHOWN_MS = 6000;

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const next = useRef(1);
  const drop = useCallback((id: number) => {
    setToasts((now) => now.filter((toast) => toast.id !== id));
  }, []);
  const show = useCallback<ShowToast>(
    (text, tone = "ok") => {
      const id = next.current++;
      setToasts((now) => [...now.slice(-3), { id, text, tone }]);
      // Errors stay until they are read.
      if (tone === "ok") setTimeout(drop, SHOWN_MS, id);
    },
    [drop],
  );
  return (
    <ToastContext value={show}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className="toast" data-tone={toast.tone}>
            <Icon name={toast.tone === "ok" ? "check" : "error"} className={`tone-${toast.tone}`} />
            <div>{toast.text}</div>
            <Button
              small
              variant="quiet"
              icon="close"
              aria-label="Dismiss"
              onClick={() => {
                drop(toast.id);
              }}
            />
          </div>
        ))}
      </div>
    </ToastContext>
  );
}
