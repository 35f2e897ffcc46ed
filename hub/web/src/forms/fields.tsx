import { useId, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from "react";

import { Icon } from "../components/Icon";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  required?: boolean | undefined;
  wide?: boolean | undefined;
}

interface Wiring {
  id: string;
  "aria-invalid": boolean | undefined;
  "aria-describedby": string | undefined;
  "aria-required": boolean | undefined;
}

/** Label, hint and error round one control, wired up for screen readers. */
export function Field(props: FieldProps & { children: (wiring: Wiring) => ReactNode }) {
  const { label, hint, error, required, wide, children } = props;
  const id = useId();
  const described = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div className={wide ? "field wide" : "field"}>
      <label className="field-label" htmlFor={id}>
        {label}
        {required && (
          <span className="field-required" aria-hidden="true">
            {" *"}
          </span>
        )}
      </label>
      {children({
        id,
        "aria-invalid": error ? true : undefined,
        "aria-describedby": described || undefined,
        "aria-required": required ?? undefined,
      })}
      {hint && (
        <div className="field-hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      {error && (
        <div className="field-error" id={`${id}-error`}>
          <Icon name="error" size={15} />
          {error}
        </div>
      )}
    </div>
  );
}

type Control<Attributes> = FieldProps &
  Omit<Attributes, "onChange" | "value"> & { value: string; onChange: (value: string) => void };

export function TextField(props: Control<InputHTMLAttributes<HTMLInputElement>>) {
  const { label, hint, error, required, wide, onChange, ...rest } = props;
  return (
    <Field label={label} hint={hint} error={error} required={required} wide={wide}>
      {(wiring) => (
        <input
          className="input"
          type="text"
          {...rest}
          {...wiring}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      )}
    </Field>
  );
}

export function TextArea(props: Control<TextareaHTMLAttributes<HTMLTextAreaElement>> & { code?: boolean }) {
  const { label, hint, error, required, wide, code, onChange, ...rest } = props;
  return (
    <Field label={label} hint={hint} error={error} required={required} wide={wide}>
      {(wiring) => (
        <textarea
          className={code ? "input input-code" : "input"}
          spellCheck={!code}
          {...rest}
          {...wiring}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      )}
    </Field>
  );
}

export interface Option {
  value: string;
  label: string;
}

type SelectProps = Control<SelectHTMLAttributes<HTMLSelectElement>> & {
  options: readonly Option[];
  /** The text of an empty choice; without it there is none. */
  empty?: string | undefined;
};

export function Select(props: SelectProps) {
  const { label, hint, error, required, wide, options, empty, onChange, ...rest } = props;
  return (
    <Field label={label} hint={hint} error={error} required={required} wide={wide}>
      {(wiring) => (
        <select
          className="input"
          {...rest}
          {...wiring}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        >
          {empty !== undefined && <option value="">{empty}</option>}
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface CheckProps {
  label: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
  hint?: ReactNode;
  disabled?: boolean;
}

export function Check({ label, checked, onChange, hint, disabled }: CheckProps) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => {
          onChange(event.target.checked);
        }}
      />
      <span>
        {label}
        {hint && <span className="field-hint"> {hint}</span>}
      </span>
    </label>
  );
}
