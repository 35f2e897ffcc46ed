/** The words of agents and commands. */

export const AGENT_KINDS = ["network", "pks", "msad"] as const;

const KIND_WORDS: Readonly<Record<string, string>> = {
  network: "Network agent",
  pks: "Private key store",
  msad: "Active Directory agent",
};

export const kindWords = (kind: string): string => KIND_WORDS[kind] ?? kind;

export const COMMAND_KINDS = [
  "DiscoverNetwork",
  "DiscoverServers",
  "GenerateCertificate",
  "StoreCertificate",
  "InstallCertificate",
  "ExportKey",
  "DeleteKey",
] as const;

/** `InstallCertificate` -> `Install Certificate`. */
export const commandWords = (kind: string): string => kind.replaceAll(/([a-z])([A-Z])/g, "$1 $2");

export const COMMAND_STATES: Readonly<Record<string, string>> = {
  queued: "Pending",
  dispatched: "Sent",
  accepted: "In Progress",
  cancelling: "Canceling",
  successful: "Successful",
  failed: "Failed",
  cancelled: "Canceled",
  expired: "Expired",
};

export const OPEN_STATES = ["queued", "dispatched", "accepted", "cancelling"];

const TIMELINE: Readonly<Record<string, string>> = {
  queued: "Queued",
  sent: "Sent to the agent",
  accepted: "Accepted by the agent",
  cancel_requested: "Asked to cancel",
  next_attempt: "Next attempt",
  finished: "Finished",
  deadline: "Deadline",
};

export const timelineWords = (what: string): string => TIMELINE[what] ?? what;
