const KINDS: Readonly<Record<string, string>> = { private_ca: "Private CA" };

export const backendKind = (kind: string): string => KINDS[kind] ?? kind.replaceAll("_", " ");
