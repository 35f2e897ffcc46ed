import { useMutation } from "@tanstack/react-query";

import { byCertificate, byPasskey, type SignInAnswer, toProvider } from "../../../api/signIn";
import type { SignInMethods } from "../../../api/types";
import { passkeysSupported } from "../../../api/webauthn";
import { Button } from "../../../components/Button";
import { ProblemNotice } from "../../../components/ProblemNotice";

interface Props {
  methods: SignInMethods;
  onAnswer: (answer: SignInAnswer) => void;
}

/** A passkey alone, identity providers, and a client certificate: as far as this hub has them. */
export function OtherWays({ methods, onAnswer }: Props) {
  const attempt = useMutation({
    mutationFn: (send: () => Promise<SignInAnswer>) => send(),
    onSuccess: onAnswer,
  });
  const leave = useMutation({ mutationFn: toProvider });
  const passkeys = methods.passkeys && passkeysSupported();
  if (!passkeys && !methods.client_certificates && methods.providers.length === 0) return null;
  const address = methods.client_certificate_url;
  return (
    <div className="sign-in-others stack-s">
      <div className="sign-in-or">
        <span>or</span>
      </div>
      {passkeys && (
        <Button
          icon="key"
          busy={attempt.isPending}
          onClick={() => {
            attempt.mutate(byPasskey);
          }}
        >
          Use a passkey
        </Button>
      )}
      {methods.providers.map((provider) => (
        <Button
          key={provider.name}
          icon="external"
          busy={leave.isPending && leave.variables === provider.name}
          onClick={() => {
            leave.mutate(provider.name);
          }}
        >
          Continue with {provider.label}
        </Button>
      ))}
      {methods.client_certificates && (
        <Button
          icon="certificate"
          onClick={() => {
            if (address && !location.href.startsWith(address)) location.assign(address);
            else attempt.mutate(byCertificate);
          }}
        >
          Use a client certificate
        </Button>
      )}
      <ProblemNotice error={attempt.error ?? leave.error} />
    </div>
  );
}
