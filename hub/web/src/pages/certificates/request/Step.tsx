import { AgreementStep } from "./AgreementStep";
import { CsrStep } from "./CsrStep";
import { DetailsStep } from "./DetailsStep";
import { DomainsStep } from "./DomainsStep";
import { InstallationStep } from "./InstallationStep";
import { KeyStep } from "./KeyStep";
import { MethodStep } from "./MethodStep";
import { NodesStep } from "./NodesStep";
import { RenewalStep } from "./RenewalStep";
import { ReviewStep } from "./ReviewStep";
import type { StepProps } from "./StepProps";
import type { StepId } from "./steps";

const COMPONENTS = {
  method: MethodStep,
  details: DetailsStep,
  csr: CsrStep,
  key: KeyStep,
  domains: DomainsStep,
  nodes: NodesStep,
  installation: InstallationStep,
  renewal: RenewalStep,
  agreement: AgreementStep,
  review: ReviewStep,
} as const;

export function Step({ step, ...props }: StepProps & { step: StepId }) {
  const Component = COMPONENTS[step];
  return <Component {...props} />;
}
