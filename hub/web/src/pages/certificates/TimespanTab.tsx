import type { Certificate } from "../../api/types";
import { Panel, Facts, type Fact } from "../../components/Panel";
import { Time } from "../../components/Time";

const SPANS: readonly (readonly [keyof Certificate, string])[] = [
  ["discovered", "Discovered"],
  ["requested", "Requested"],
  ["approved", "Approved"],
  ["declined", "Declined"],
  ["applied", "Applied"],
  ["issued", "Issued"],
  ["not_before", "Valid from"],
  ["downloaded", "Downloaded"],
  ["renewal_due_at", "Renewal due"],
  ["expires", "Expires"],
  ["replaced", "Replaced"],
  ["revoked", "Revoked"],
];

/** All dates that a certificate can have; those that it has not say so. */
export function TimespanTab({ certificate }: { certificate: Certificate }) {
  const spans = SPANS.map(([field, label]): Fact => {
    const value = certificate[field];
    return [label, typeof value === "string" ? <Time value={value} /> : <span className="muted">—</span>];
  });
  return (
    <Panel title="Time span">
      <Facts items={spans} />
    </Panel>
  );
}
