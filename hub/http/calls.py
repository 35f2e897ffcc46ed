"""What a route's handler is given: who calls, and the input already checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel

from hub.http.principal import Principal

BodyT = TypeVar("BodyT", bound=BaseModel | None, covariant=True)
QueryT = TypeVar("QueryT", bound=BaseModel | None, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[BodyT, QueryT]):
    """One authenticated, authorized and parsed request.

    ``path`` holds the path parameters as text; :meth:`int_path` reads a numeric one.
    """

    principal: Principal
    body: BodyT
    query: QueryT
    path: Mapping[str, str]
    headers: Mapping[str, str]
    remote: str
    request_id: str
    # Only of routes declared with reads_raw_body.
    raw_body: bytes = field(default=b"", repr=False)
    # The console session's cookie as it came, valid or not; only sign-in and sign-out look at it.
    session_token: str | None = field(default=None, repr=False)
    # The cookie of a sign-in that is under way; only its next step looks at it.
    pending_token: str | None = field(default=None, repr=False)
    # DER of the client certificate of the TLS connection, or as a trusted proxy forwarded it (RFC 9440).
    client_certificate: bytes | None = field(default=None, repr=False)

    def int_path(self, name: str) -> int:
        """Return a path parameter as a number; routes declare it as ``{name:int}``."""
        return int(self.path[name])
