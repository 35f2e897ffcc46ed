import { useQuery } from "@tanstack/react-query";

import { get } from "../../../api/client";
import type { Ceremony } from "../../../api/types";
import { Button } from "../../../components/Button";
import { Loaded } from "../../../components/Loaded";
import { PageHeader } from "../../../components/PageHeader";
import { PlainTable } from "../../../components/PlainTable";
import { Time } from "../../../components/Time";
import { CEREMONIES } from "./words";

const text = (value: unknown): string => (typeof value === "string" ? value : "");

function Fingerprints({ details }: { details: Record<string, unknown> }) {
  const lines = [
    ["Key", text(details.public_key_sha256)],
    ["Certificate", text(details.certificate_sha256)],
    ["Request", text(details.csr_sha256)],
  ].filter(([, value]) => value);
  return (
    <>
      {lines.map(([label, value]) => (
        <div key={label} className="small">
          {label} <code>{value}</code>
        </div>
      ))}
    </>
  );
}

/** A page to print and sign: what was done with CA keys, with the entries' places in the chain of the audit log. */
export function CeremoniesPage() {
  const query = useQuery({
    queryKey: ["private-cas", "ceremonies"],
    queryFn: () => get<{ items: Ceremony[] }>("/private-cas/ceremonies").then((list) => list.items),
  });
  return (
    <>
      <PageHeader
        title="Key ceremonies"
        actions={
          <Button
            icon="audit"
            onClick={() => {
              window.print();
            }}
          >
            Print
          </Button>
        }
      >
        Who made, signed, rolled over, exported or revoked which CA. Entries are chained by their hashes in the audit log.
      </PageHeader>
      <Loaded query={query}>
        {(items) => (
          <PlainTable
            title="Ceremonies"
            empty="No CA was made yet."
            rows={items}
            rowKey={(item) => String(item.sequence)}
            columns={[
              { label: "Entry", cell: (item) => item.sequence },
              { label: "At", cell: (item) => <Time value={item.at} /> },
              { label: "By", cell: (item) => item.actor },
              { label: "What", cell: (item) => CEREMONIES[item.action] ?? item.action },
              { label: "CA", cell: (item) => [text(item.details.name), text(item.details.subject)].filter(Boolean).join(": ") },
              { label: "Key", cell: (item) => [text(item.details.public_key_type), text(item.details.key_store)].filter(Boolean).join(", ") },
              { label: "Fingerprints (SHA-256)", cell: (item) => <Fingerprints details={item.details} /> },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}
