"""How surely somebody has to have signed in before they touch private keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hub.access.sign_in_strength import CLIENT_CERTIFICATE, has_second_factor
from hub.http.principal import Principal
from hub.lifecycle.key_errors import StrongerSignInNeeded
from pki.findings import Finding, first_finding

SignInStrength = Literal["second_factor", "client_certificate", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAccess:
    """The rule: what a sign-in must have shown. It is a setting of the hub."""

    requires: SignInStrength = "second_factor"

    def check(self, principal: Principal, action: str) -> None:
        """Refuse who has not shown enough.

        Raises:
            StrongerSignInNeeded: the message says what is missing; the session can be stepped up.
        """
        finding = first_finding(CHECKS, _Question(principal, action, self.requires))
        if finding is not None:
            raise StrongerSignInNeeded(finding.message)


@dataclass(frozen=True, slots=True)
class _Question:
    principal: Principal
    action: str
    requires: SignInStrength


Check = Callable[[_Question], Finding | None]


def token_too_general(asked: _Question) -> Finding | None:
    """An API token is for keys only if it was made for that by name, and never where a certificate is due."""
    if asked.principal.kind != "api_token" or asked.requires == "none":
        return None
    if asked.requires == CLIENT_CERTIFICATE:
        return Finding(
            "TokenNotEnough", "sign in with a client certificate: API tokens don't reach keys here"
        )
    if asked.action in asked.principal.scopes:
        return None
    return Finding("TokenTooGeneral", f"the API token has to name {asked.action} among its scopes")


def certificate_not_shown(asked: _Question) -> Finding | None:
    """Where client certificates are required, nothing else will do."""
    if asked.principal.kind != "administrator" or asked.requires != CLIENT_CERTIFICATE:
        return None
    if CLIENT_CERTIFICATE in asked.principal.methods:
        return None
    return Finding("ClientCertificateNeeded", "show your client certificate first")


def second_factor_not_shown(asked: _Question) -> Finding | None:
    """A password alone is not enough."""
    if asked.principal.kind != "administrator" or asked.requires != "second_factor":
        return None
    if has_second_factor(asked.principal):
        return None
    return Finding("SecondFactorNeeded", "show a second factor or your client certificate first")


CHECKS: tuple[Check, ...] = (token_too_general, certificate_not_shown, second_factor_not_shown)
