import type { LiveState } from "../api/events";

const TEXTS: Readonly<Record<LiveState, readonly [string, string]>> = {
  live: ["Live", "Changes appear by themselves"],
  connecting: ["Connecting", "Opening the stream of changes"],
  offline: ["Not live", "The stream of changes is cut; trying again. What you see may be out of date."],
};

export function LiveIndicator({ state }: { state: LiveState }) {
  const [text, title] = TEXTS[state];
  return (
    <span className="live" data-state={state} role="status" title={title}>
      <span className="live-dot" aria-hidden="true" />
      <span className="live-text">{text}</span>
    </span>
  );
}
