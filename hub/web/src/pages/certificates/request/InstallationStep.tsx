import { InstallationChoice } from "../InstallationChoice";
import type { StepProps } from "./StepProps";

export function InstallationStep({ draft, change, errorOf }: StepProps) {
  return (
    <InstallationChoice
      installation={draft.installation}
      schedule={draft.schedule}
      onInstallation={(installation) => {
        change({ installation });
      }}
      onSchedule={(schedule) => {
        change({ schedule });
      }}
      error={errorOf("install_schedule")}
    />
  );
}
