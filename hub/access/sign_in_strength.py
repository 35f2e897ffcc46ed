"""How surely somebody has signed in, for what takes more than a password: private keys.

An API token acts without a second factor. For these actions it has to name the action itself, and only
somebody who has shown a second factor, or holds such a token, can make one that does.
"""

from __future__ import annotations

from hub.access.signin.flow import PROVIDER_FACTOR
from hub.http.principal import Principal

CLIENT_CERTIFICATE = "client_certificate"

# A recovery code is what somebody uses who has lost the factor.
SECOND_FACTORS = frozenset({"totp", "passkey", CLIENT_CERTIFICATE, PROVIDER_FACTOR})

NAMED_ONLY = frozenset({"certificates.download_key", "certificates.upload_key", "certificates.delete_key"})
"""Actions that a token's ``*`` does not cover."""


def has_second_factor(principal: Principal) -> bool:
    """Whether the console session showed more than a password."""
    return bool(SECOND_FACTORS & principal.methods)


def may_name(principal: Principal, scope: str) -> bool:
    """Whether somebody may make an API token that names this scope."""
    if scope not in NAMED_ONLY or principal.kind == "system":
        return True
    if principal.kind == "api_token":
        return scope in principal.scopes
    return has_second_factor(principal)
