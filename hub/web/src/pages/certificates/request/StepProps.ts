import type { Profile } from "../../../api/types";
import type { Draft } from "./draft";

export interface StepProps {
  draft: Draft;
  change: (changes: Partial<Draft>) => void;
  profile: Profile | undefined;
  /** The message of a field, from the console's own checks or from the hub. */
  errorOf: (field: string) => string | undefined;
}
