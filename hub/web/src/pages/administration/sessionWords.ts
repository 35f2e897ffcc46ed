/** What a browser says about itself and how somebody signed in, in words. */

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg\/(\d+)/, "Edge"],
  [/Firefox\/(\d+)/, "Firefox"],
  [/Chrome\/(\d+)/, "Chrome"],
  [/Version\/(\d+).*Safari/, "Safari"],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/Windows/, "Windows"],
  [/iPhone|iPad/, "iOS"],
  [/Android/, "Android"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];

export function browserWords(agent: string): string {
  const browser = BROWSERS.map(([pattern, name]) => {
    const found = pattern.exec(agent);
    return found ? `${name} ${found[1] ?? ""}` : "";
  }).find(Boolean);
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1];
  if (!browser) return agent || "Unknown";
  return system ? `${browser} on ${system}` : browser;
}

const METHODS: Readonly<Record<string, string>> = {
  pwd: "Password",
  password: "Password",
  totp: "Authenticator app",
  recovery_code: "Recovery code",
  passkey: "Passkey",
  saml: "SAML",
  oidc: "OpenID Connect",
  client_certificate: "Client certificate",
  certificate: "Client certificate",
};

export const methodWords = (methods: readonly string[]): string =>
  methods.map((method) => METHODS[method] ?? method.replaceAll("_", " ")).join(", ");
