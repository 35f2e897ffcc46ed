import { TextField } from "../../../forms/fields";
import { profileWords } from "../autoRenew";
import { RenewalFields } from "../RenewalFields";
import type { StepProps } from "./StepProps";

/** Automatic renewal, and what its holder can renew and revoke it with. */
export function RenewalStep({ draft, change, profile, editing, errorOf }: StepProps) {
  return (
    <div className="stack">
      <RenewalFields
        value={draft.renewal}
        onChange={(renewal) => {
          change({ renewal });
        }}
        errorOf={(field) => errorOf(`auto_renew.${field}`) ?? errorOf(field)}
        profileWords={profile && profileWords(profile)}
        choice="profile"
      />
      {!editing && (
        <fieldset className="form-grid plain-set">
          <legend className="field-label">Self-service</legend>
          <TextField
            label="Passphrase"
            type="password"
            autoComplete="new-password"
            hint="With it and the certificate's id its holder renews, fetches and revokes it without an account. Empty: nobody does."
            value={draft.passphrase}
            onChange={(passphrase) => {
              change({ passphrase });
            }}
            error={errorOf("passphrase")}
          />
          <TextField
            label="Passphrase once more"
            type="password"
            autoComplete="new-password"
            value={draft.passphraseAgain}
            onChange={(passphraseAgain) => {
              change({ passphraseAgain });
            }}
            error={errorOf("passphrase_again")}
          />
        </fieldset>
      )}
    </div>
  );
}
