import { useState } from "react";

import { Button } from "../../components/Button";
import { Copy } from "../../components/Copy";
import { Check } from "../../forms/fields";

function save(codes: readonly string[]): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${codes.join("\n")}\n`], { type: "text/plain" }));
  link.download = "certwright-recovery-codes.txt";
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Codes that are shown this once; one goes on after saying that they are kept. */
export function RecoveryCodes({ codes, onDone }: { codes: readonly string[]; onDone: () => void }) {
  const [kept, setKept] = useState(false);
  return (
    <>
      <p>
        Each of these signs you in once if you lose your second factor. Keep them where you will find them then; they
        are not shown again.
      </p>
      <Copy
        block
        text={codes.join("\n")}
        label="codes"
        actions={
          <Button
            small
            icon="download"
            onClick={() => {
              save(codes);
            }}
          >
            Save as a file
          </Button>
        }
      />
      <Check label="I have kept the recovery codes" checked={kept} onChange={setKept} />
      <div className="form-actions">
        <Button variant="primary" disabled={!kept} onClick={onDone}>
          Go on
        </Button>
      </div>
    </>
  );
}
