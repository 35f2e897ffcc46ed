"""One-time enrollment tokens: what an administrator gives to whoever installs an agent.

A token is ``cwt1.`` and base64url of a JSON object::

    {"v": 1, "id": UUID, "secret": "UUID.RANDOM", "enroll": "HOST:PORT", "http": "https://..." or "",
     "ca": HEX, "kinds": ["network", ...]}

``secret`` is what the agent sends. It starts with the token's id, so that the hub finds the row without
searching by a secret, and compares the SHA-256 of the whole in constant time. Why a token is not good is told
only to who holds its secret; to anybody else it is unknown.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import HubError
from hub.db.uow import UnitOfWork
from hub.fleet.errors import TokenExpired, TokenNotForKind, TokenRevoked, TokenSpent, TokenUnknown
from hub.fleet.models import EnrollmentToken

PREFIX = "cwt1."
_MAX_SECRET = 200
_NO_SUCH_TOKEN = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenContents:
    """What a token's text says."""

    id: str
    secret: str = field(repr=False)
    enroll: str
    ca_sha256: str
    kinds: tuple[str, ...]
    http: str = ""

    def text(self) -> str:
        """Return the token as it is handed to people."""
        document = {
            "v": 1,
            "id": self.id,
            "secret": self.secret,
            "enroll": self.enroll,
            "http": self.http,
            "ca": self.ca_sha256,
            "kinds": list(self.kinds),
        }
        encoded = base64.urlsafe_b64encode(json.dumps(document, separators=(",", ":")).encode())
        return PREFIX + encoded.rstrip(b"=").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentToken:
    """What a token that was good allows."""

    id: str
    organization_id: int | None


def new_secret() -> tuple[str, str]:
    """Return a new token's id and secret; 256 random bits."""
    token_id = str(uuid.uuid4())
    return token_id, f"{token_id}.{secrets.token_urlsafe(32)}"


def secret_sha256(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Presented:
    row: EnrollmentToken
    kind: str
    now: datetime


_CHECKS: tuple[tuple[Callable[[_Presented], bool], type[HubError]], ...] = (
    (lambda it: it.row.revoked_at is not None, TokenRevoked),
    (lambda it: it.row.used_at is not None, TokenSpent),
    (lambda it: it.row.expires_at <= it.now, TokenExpired),
    (lambda it: it.kind not in it.row.kinds, TokenNotForKind),
)


async def _find(session: AsyncSession, secret: str) -> EnrollmentToken:
    token_id = secret.partition(".")[0] if len(secret) <= _MAX_SECRET else ""
    row = (
        await session.execute(
            select(EnrollmentToken)
            .where(EnrollmentToken.id == token_id.replace("\x00", ""))
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    # An unknown id costs the same comparison as a known one.
    stored = row.secret_sha256 if row is not None else _NO_SUCH_TOKEN
    matches = hmac.compare_digest(stored, secret_sha256(secret[:_MAX_SECRET]))
    if row is None or not matches:
        raise TokenUnknown
    return row


async def spend(uow: UnitOfWork, secret: str, *, kind: str, agent_id: str) -> SpentToken:
    """Use a token up for ``agent_id``; of several at once, one wins.

    Raises:
        TokenUnknown, TokenRevoked, TokenSpent, TokenExpired, TokenNotForKind: it is not good, and stays as
            it is.
    """
    row = await _find(uow.session, secret)
    presented = _Presented(row, kind, uow.now)
    for is_wrong, fault in _CHECKS:
        if is_wrong(presented):
            raise fault
    spent = await uow.session.execute(
        update(EnrollmentToken)
        .where(
            EnrollmentToken.id == row.id,
            EnrollmentToken.used_at.is_(None),
            EnrollmentToken.revoked_at.is_(None),
        )
        .values(used_at=uow.now, used_by=agent_id)
        .returning(EnrollmentToken.id)
    )
    if spent.first() is None:
        raise TokenSpent
    return SpentToken(id=row.id, organization_id=row.organization_id)
