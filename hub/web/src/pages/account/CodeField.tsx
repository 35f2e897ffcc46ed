import { TextField } from "../../forms/fields";

interface Props {
  value: string;
  onChange: (value: string) => void;
  label?: string;
  error?: string | undefined;
  autoFocus?: boolean;
}

/** A code of an authenticator app; phones and password managers fill it in by these attributes. */
export function CodeField({ label = "Code", autoFocus = false, ...rest }: Props) {
  return (
    <TextField
      label={label}
      required
      inputMode="numeric"
      autoComplete="one-time-code"
      autoFocus={autoFocus}
      maxLength={64}
      className="input input-one-time"
      {...rest}
    />
  );
}
