import { Check, Select, TextField } from "../../forms/fields";
import { hourText, type ScheduleDraft, scheduleFault, scheduleText, TIME_ZONES, WEEKDAYS } from "./schedule";

interface Props {
  value: ScheduleDraft;
  onChange: (value: ScheduleDraft) => void;
  error?: string | undefined;
}

const hours = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => ({
    value: String(first + index),
    label: hourText(first + index),
  }));

/** Time zone, not earlier than, hours of the day, days of the week. */
export function ScheduleFields({ value, onChange, error }: Props) {
  const set = (changes: Partial<ScheduleDraft>) => {
    onChange({ ...value, ...changes });
  };
  const fault = scheduleFault(value);
  return (
    <div className="form-grid">
      <Select
        label="Time zone"
        options={TIME_ZONES.map((zone) => ({ value: zone, label: zone }))}
        value={value.timeZone}
        onChange={(timeZone) => {
          set({ timeZone });
        }}
      />
      <TextField
        label="Not earlier than"
        type="datetime-local"
        hint="Empty: with the next window."
        value={value.notBefore}
        onChange={(notBefore) => {
          set({ notBefore });
        }}
      />
      <Select
        label="Between"
        options={hours(0, 23)}
        value={String(value.hourFrom)}
        onChange={(hour) => {
          set({ hourFrom: Number(hour) });
        }}
      />
      <Select
        label="and"
        options={hours(0, 24)}
        value={String(value.hourTo)}
        onChange={(hour) => {
          set({ hourTo: Number(hour) });
        }}
        error={fault}
      />
      <fieldset className="choices wide">
        <legend className="field-label">Only on</legend>
        {WEEKDAYS.map((label, day) => (
          <Check
            key={label}
            label={label}
            checked={value.weekdays.includes(day)}
            onChange={(checked) => {
              set({ weekdays: checked ? [...value.weekdays, day] : value.weekdays.filter((item) => item !== day) });
            }}
          />
        ))}
        <span className="field-hint">None ticked: every day. A window begins on its day and may go over midnight.</span>
      </fieldset>
      <p className="wide small muted">Installs {scheduleText(value)}.</p>
      {error && (
        <p className="wide field-error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
