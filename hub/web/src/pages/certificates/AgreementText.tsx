import { useEffect, useRef, useState } from "react";

import { Button } from "../../components/Button";
import { Check } from "../../forms/fields";

interface Props {
  text: string;
  accepted: boolean;
  onChange: (accepted: boolean) => void;
  error?: string | undefined;
}

const NEAR_PX = 8;

const atEnd = (box: HTMLElement) => box.scrollTop + box.clientHeight >= box.scrollHeight - NEAR_PX;

/** A subscriber agreement to be read to its end and accepted. */
export function AgreementText({ text, accepted, onChange, error }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [read, setRead] = useState(accepted);
  useEffect(() => {
    // A short text is seen whole at once.
    if (box.current && atEnd(box.current)) setRead(true);
  }, [text]);
  return (
    <div className="form">
      <div
        ref={box}
        className="agreement-text"
        role="region"
        aria-label="Subscriber agreement"
        tabIndex={0}
        onScroll={(event) => {
          if (atEnd(event.currentTarget)) setRead(true);
        }}
      >
        {text}
      </div>
      <div className="row">
        <Check
          label="I have read the subscriber agreement and accept it"
          hint={read ? undefined : "Read it to its end first."}
          checked={accepted}
          disabled={!read}
          onChange={onChange}
        />
        <Button
          small
          onClick={() => {
            window.print();
          }}
        >
          Print
        </Button>
      </div>
      {error && (
        <p className="field-error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
