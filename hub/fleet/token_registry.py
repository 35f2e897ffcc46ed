"""Making and withdrawing enrollment tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import insert, update

from hub.db.errors import Malformed
from hub.db.uow import UnitOfWork
from hub.fleet.errors import TokenNotFound
from hub.fleet.models import EnrollmentToken
from hub.fleet.tokens import new_secret, secret_sha256
from hub.fleet.traces import audit_token, token_event
from hub.fleet.wire import KINDS
from hub.http.principal import Principal

MAX_LIFETIME = timedelta(days=365)
_MIN_LIFETIME = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSpec:
    """For which agents a token is, and for how long."""

    kinds: tuple[str, ...]
    organization_id: int | None
    lifetime_s: int

    @property
    def ordered_kinds(self) -> tuple[str, ...]:
        """The kinds, each once, in their usual order."""
        return tuple(kind for kind in KINDS if kind in self.kinds)

    def check(self) -> None:
        """Do nothing if it makes sense.

        Raises:
            Malformed: a kind is not known, there is none, or the lifetime is not between a minute and a year.
        """
        if not self.kinds or any(kind not in KINDS for kind in self.kinds):
            raise Malformed(f"kinds are some of {', '.join(KINDS)}", field="kinds")
        if not _MIN_LIFETIME <= timedelta(seconds=self.lifetime_s) <= MAX_LIFETIME:
            raise Malformed("a token is good for a minute to a year", field="lifetime_s")


async def create_token(
    uow: UnitOfWork, spec: TokenSpec, *, created_by: str, principal: Principal
) -> tuple[str, str]:
    """Create a token; return its id and its secret, which is not stored.

    Raises:
        Malformed: the specification makes no sense.
    """
    spec.check()
    token_id, secret = new_secret()
    kinds = list(spec.ordered_kinds)
    await uow.session.execute(
        insert(EnrollmentToken).values(
            id=token_id,
            secret_sha256=secret_sha256(secret),
            kinds=kinds,
            organization_id=spec.organization_id,
            created_by=created_by,
            created_at=uow.now,
            expires_at=uow.now + timedelta(seconds=spec.lifetime_s),
        )
    )
    uow.emit(token_event("EnrollmentTokenCreated", token_id, spec.organization_id, kinds=kinds))
    token = (token_id, spec.organization_id)
    await audit_token(uow, principal, "EnrollmentTokenCreated", token, kinds=kinds)
    return token_id, secret


async def revoke_token(uow: UnitOfWork, token_id: str, *, principal: Principal) -> None:
    """Withdraw a token; one that has been used stays as it is.

    Raises:
        TokenNotFound: there is none.
    """
    changed = await uow.session.execute(
        update(EnrollmentToken)
        .where(
            EnrollmentToken.id == token_id,
            EnrollmentToken.used_at.is_(None),
            EnrollmentToken.revoked_at.is_(None),
        )
        .values(revoked_at=uow.now)
        .returning(EnrollmentToken.organization_id)
    )
    row = changed.first()
    if row is not None:
        uow.emit(token_event("EnrollmentTokenRevoked", token_id, row.organization_id))
        await audit_token(uow, principal, "EnrollmentTokenRevoked", (token_id, row.organization_id))
    elif await uow.session.get(EnrollmentToken, token_id) is None:
        raise TokenNotFound
