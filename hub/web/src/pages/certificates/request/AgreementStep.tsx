import { AgreementText } from "../AgreementText";
import type { StepProps } from "./StepProps";

/** The profile's subscriber agreement; it can be accepted once its end was seen. */
export function AgreementStep({ draft, change, profile, errorOf }: StepProps) {
  return (
    <AgreementText
      text={profile?.agreement ?? ""}
      accepted={draft.agreementAccepted}
      onChange={(agreementAccepted) => {
        change({ agreementAccepted });
      }}
      error={errorOf("agreement_accepted")}
    />
  );
}
