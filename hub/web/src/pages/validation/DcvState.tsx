import { Badge, type Tone } from "../../components/Badge";
import type { DcvRow } from "../../api/types";

const STATES: Readonly<Record<DcvRow["state"], readonly [Tone, string]>> = {
  not_started: ["idle", "Not started"],
  pending: ["warn", "Pending"],
  validated: ["ok", "Validated"],
  expiring: ["warn", "Expires soon"],
  expired: ["bad", "Expired"],
  failed: ["bad", "Failed"],
};

export const DCV_STATES = Object.keys(STATES);

export function DcvState({ state }: { state: DcvRow["state"] }) {
  const [tone, label] = STATES[state];
  return <Badge tone={tone}>{label}</Badge>;
}
