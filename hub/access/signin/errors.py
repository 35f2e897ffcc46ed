"""Errors of signing in. Each code is stable: the console and scripts tell people what to do by it."""

from __future__ import annotations

from hub.db.errors import (
    Conflict,
    Forbidden,
    Malformed,
    NotFound,
    PolicyViolation,
    Unauthenticated,
    Unavailable,
)


class SignInExpired(Unauthenticated):
    """This sign-in took too long or was finished already; start again."""

    code = "sign_in_expired"


class WrongStep(Conflict):
    """The sign-in is not at this step."""

    code = "sign_in_wrong_step"


class WrongCode(Unauthenticated):
    """The code is wrong; check the clock of the device that makes it."""

    code = "wrong_code"


class CodeAlreadyUsed(Unauthenticated):
    """This code was used already; wait for the next one."""

    code = "code_already_used"


class AddressNotAllowed(Forbidden):
    """Access rules don't allow this address."""

    code = "address_not_allowed"


class RuleLocksYouOut(Conflict):
    """With these access rules your own address could not sign in any more; include it."""

    code = "rule_locks_you_out"


class TotpInUse(Conflict):
    """An authenticator app is set up already; remove it first."""

    code = "totp_in_use"


class NoTotp(NotFound):
    """No authenticator app is being set up."""

    code = "no_totp"


class FactorRequired(PolicyViolation):
    """Your role needs a second factor; set up another one before removing the last."""

    code = "factor_required"


class NoSuchPasskey(NotFound):
    """There is no such passkey of yours."""

    code = "no_such_passkey"


class PasskeyRefused(Unauthenticated):
    """The passkey was not accepted."""

    code = "passkey_refused"


class PasskeyTaken(Conflict):
    """This passkey is registered already."""

    code = "passkey_taken"


class PasskeysNeedName(PolicyViolation):
    """Passkeys work only at a DNS name over HTTPS; set public_url to the address that people open."""

    code = "passkeys_need_name"


class NoClientCertificate(Unauthenticated):
    """The connection carries no client certificate; use the address that asks for one."""

    code = "no_client_certificate"


class ClientCertificateRefused(Unauthenticated):
    """The client certificate was not accepted."""

    code = "client_certificate_refused"


class CertificateTaken(Conflict):
    """This client certificate is bound to an administrator already."""

    code = "client_certificate_taken"


class NoSuchBinding(NotFound):
    """There is no such client certificate binding."""

    code = "no_such_binding"


class NoSuchSession(NotFound):
    """There is no such session."""

    code = "no_such_session"


class NoSuchProvider(NotFound):
    """There is no such identity provider, or it is switched off."""

    code = "no_such_identity_provider"


class NoSuchIdentity(NotFound):
    """There is no such link between an administrator and the identity provider."""

    code = "no_such_identity"


class IdentityTaken(Conflict):
    """This person at the identity provider is linked to an administrator already."""

    code = "identity_taken"


class ProviderNameTaken(Conflict):
    """There is an identity provider of this name already."""

    code = "identity_provider_taken"


class MetadataRefused(Malformed):
    """The metadata can't be used."""

    code = "saml_metadata_refused"


class SamlRefused(Unauthenticated):
    """The identity provider's SAML response was not accepted.

    ``reason`` is a stable CamelCase word.
    """

    code = "saml_refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{message} ({reason})")
        self.reason = reason


class OidcRefused(Unauthenticated):
    """The identity provider's answer was not accepted.

    ``reason`` is a stable CamelCase word.
    """

    code = "oidc_refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{message} ({reason})")
        self.reason = reason


class ProviderUnreachable(Unavailable):
    """The identity provider can't be reached."""

    code = "identity_provider_unreachable"


class NoTemplateMatches(Forbidden):
    """You are known to the identity provider, but no template here gives you a role; ask an MRAO."""

    code = "no_template_matches"


class LinkNeeded(Forbidden):
    """An administrator of this user name exists here; an MRAO has to link it to the identity provider."""

    code = "identity_link_needed"
