import type { Profile } from "../../../api/types";
import type { Checked } from "../types";
import type { Draft } from "./draft";

export interface StepProps {
  draft: Draft;
  change: (changes: Partial<Draft>) => void;
  profile: Profile | undefined;
  /** A request that is there already; its owner's passphrase stays. */
  editing: boolean;
  /** What the hub reads in the request so far; undefined while it is not asked. */
  checked: Checked | undefined;
  /** The message of a field, from the console's own checks or from the hub. */
  errorOf: (field: string) => string | undefined;
}
