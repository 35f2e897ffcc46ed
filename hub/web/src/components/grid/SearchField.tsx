import { useEffect, useRef, useState } from "react";

import { Icon } from "../Icon";

const TYPING_MS = 250;

interface Props {
  value: string;
  label: string;
  /** Fewer characters are not searched for. */
  from: number;
  onChange: (text: string) => void;
}

/** Asks the hub once the typing pauses. `/` puts the cursor here, as in many tools. */
export function SearchField({ value, label, from, onChange }: Props) {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  if (seen !== value) {
    // Changed from outside: "clear", or the browser's back.
    setSeen(value);
    if (text.trim() !== value) setText(value);
  }

  useEffect(() => {
    const wanted = text.trim().length >= from ? text.trim() : "";
    if (wanted === value) return undefined;
    const timer = setTimeout(onChange, TYPING_MS, wanted);
    return () => {
      clearTimeout(timer);
    };
  }, [text, value, from, onChange]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = (event.target as HTMLElement).matches("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      input.current?.focus();
    };
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("keydown", onKey);
    };
  }, []);

  const short = text.trim() !== "" && text.trim().length < from;
  return (
    <div className="grid-search">
      <Icon name="search" size={16} />
      <input
        ref={input}
        className="input"
        type="search"
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
        }}
      />
      {short && <span className="grid-search-hint">{from} characters or more</span>}
    </div>
  );
}
