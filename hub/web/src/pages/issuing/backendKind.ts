const KINDS: Readonly<Record<string, string>> = {
  private_ca: "Private CA",
  acme: "ACME",
  certificate_manager_rest: "Certificate manager REST API",
  est: "EST",
  exec: "Program on the hub's host",
  step_ca: "step-ca",
  vault_pki: "Vault PKI",
};

export const backendKind = (kind: string): string => KINDS[kind] ?? kind.replaceAll("_", " ");
