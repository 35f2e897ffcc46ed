"""Errors of the hub: coarse kinds that every border maps by one table.

A room's ``errors.py`` derives from a kind here, sets ``code`` (a stable word that scripts may match and that
is never reused) and carries the offending values as fields. Raising never logs; the border does, once.
"""

from __future__ import annotations


class HubError(Exception):
    """The hub could not do what was asked."""

    code = "hub_error"

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        self.message = message or (self.__doc__ or self.code).strip().splitlines()[0]
        self.field = field
        super().__init__(self.message)


class Malformed(HubError):
    """The input can't be understood."""

    code = "malformed"


class NotFound(HubError):
    """There is no such object, or it is outside your scope."""

    code = "not_found"


class Unauthenticated(HubError):
    """Sign in, or send a valid token."""

    code = "unauthenticated"


class Forbidden(HubError):
    """You may not do this."""

    code = "forbidden"


class Conflict(HubError):
    """The object is not in a state that allows this, or somebody else was first."""

    code = "conflict"


class PolicyViolation(HubError):
    """A rule set by an administrator forbids this."""

    code = "policy_violation"


class RateLimited(HubError):
    """Too many requests."""

    code = "rate_limited"

    def __init__(self, message: str | None = None, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(HubError):
    """Something that this needs can't be reached now."""

    code = "unavailable"

    def __init__(self, message: str | None = None, *, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BackendRefused(HubError):
    """The CA answered no."""

    code = "backend_refused"
