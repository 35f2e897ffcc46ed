export const SCAN_STATES = ["Queued", "In Progress", "Canceling", "Successful", "Failed", "Canceled"] as const;

export const TASK_STATES = ["Not Scanned", ...SCAN_STATES] as const;

export const isRunning = (state: string): boolean => ["Queued", "In Progress", "Canceling"].includes(state);

export const ENDPOINT_STATES = ["ok", "not_tls", "tls_failed"] as const;
