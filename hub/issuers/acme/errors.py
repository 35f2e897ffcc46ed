"""What an ACME server can answer other than what was asked for (RFC 8555, 6.7)."""

from __future__ import annotations

from dataclasses import dataclass

from hub.db.errors import BackendRefused, Unavailable

NAMESPACE = "urn:ietf:params:acme:error:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem document (RFC 7807) of a CA. ``kind`` is the type, without ACME's namespace."""

    kind: str
    detail: str
    status: int = 0

    def text(self) -> str:
        """Return the CA's words, with the type in front for those who look it up."""
        return f"{self.kind}: {self.detail}" if self.kind else self.detail


class CaRefused(BackendRefused):
    """The ACME server answered with a problem document."""

    code = "acme_refused"

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text())
        self.problem = problem


class CaUnreachable(Unavailable):
    """The ACME server can't be reached, is overloaded, or says something that can't be understood."""

    code = "acme_unavailable"


class AccountNotUsable(Unavailable):
    """The CA does not let this account order; an administrator has to do something first."""

    code = "acme_account_not_usable"
