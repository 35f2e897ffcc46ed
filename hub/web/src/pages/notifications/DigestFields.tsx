import type { Problem } from "../../api/problem";
import { Select, TextField } from "../../forms/fields";
import type { Digest } from "./types";
import { EVERY, WEEKDAYS } from "./vocabulary";

interface Props {
  digest: Digest;
  onChange: (digest: Digest) => void;
  problem: Problem | null;
}

const HOURS = Array.from({ length: 24 }, (_, hour) => ({ value: String(hour), label: `${String(hour).padStart(2, "0")}:00` }));
const DAYS = WEEKDAYS.map((label, index) => ({ value: String(index), label }));
const OPTIONS = Object.entries(EVERY).map(([value, label]) => ({ value, label }));

/** When messages go out, and what goes together. */
export function DigestFields({ digest, onChange, problem }: Props) {
  const set = (changes: Partial<Digest>) => {
    onChange({ ...digest, ...changes });
  };
  const atHour = digest.every === "daily" || digest.every === "weekly";
  return (
    <>
      <Select
        label="Sent"
        value={digest.every}
        onChange={(every) => {
          set({ every: every as Digest["every"] });
        }}
        options={OPTIONS}
        hint={digest.every === "none" ? "" : "Everything for a recipient goes out as one message."}
      />
      {digest.every === "weekly" && <Select label="Weekday" value={String(digest.weekday)} onChange={(value) => { set({ weekday: Number(value) }); }} options={DAYS} />}
      {atHour && <Select label="Hour" value={String(digest.hour)} onChange={(value) => { set({ hour: Number(value) }); }} options={HOURS} />}
      {atHour && (
        <TextField
          label="Time zone"
          value={digest.time_zone}
          onChange={(time_zone) => { set({ time_zone }); }}
          hint="Such as Europe/Berlin."
          error={problem?.of("digest.time_zone")}
        />
      )}
    </>
  );
}
