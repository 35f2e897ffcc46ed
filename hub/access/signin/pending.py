"""Sign-ins under way: rows that live ten minutes, each step with a new token.

The browser holds the token in a cookie of its own. A step is one compare-and-set on token and state: of two
requests with the same token one goes on, the other is told that it came too late.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update

from hub.access.sessions import token_sha256
from hub.access.signin.errors import SignInExpired, WrongStep
from hub.access.signin.models import PendingSignIn
from hub.access.signin.states import State
from hub.db.uow import UnitOfWork

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A sign-in that is under way."""

    key: str
    state: State
    administrator_id: int | None
    methods: tuple[str, ...]
    provider_id: int | None = None
    request: dict[str, Any] = field(default_factory=dict, repr=False)
    handoff_sha256: str | None = field(default=None, repr=False)

    @property
    def who(self) -> int:
        """The administrator; known from the first factor on.

        Raises:
            WrongStep: there was none yet.
        """
        if self.administrator_id is None:
            raise WrongStep("the sign-in has not come to anybody yet")
        return self.administrator_id


async def begin(
    uow: UnitOfWork,
    state: State,
    *,
    administrator_id: int | None = None,
    methods: tuple[str, ...] = (),
    provider_id: int | None = None,
    request_id: str | None = None,
    request: dict[str, Any] | None = None,
) -> str:
    """Store a sign-in at ``state`` and return its token; forget those that are too old."""
    await uow.session.execute(delete(PendingSignIn).where(PendingSignIn.expires_at < uow.now))
    token = secrets.token_urlsafe(32)
    uow.session.add(
        PendingSignIn(
            token_sha256=token_sha256(token),
            state=state.value,
            administrator_id=administrator_id,
            methods=list(methods),
            provider_id=provider_id,
            request_id=request_id,
            request=request or {},
            created_at=uow.now,
            expires_at=uow.now + LIFETIME,
        )
    )
    await uow.session.flush()
    return token


async def load(uow: UnitOfWork, token: str | None, *states: State) -> Pending:
    """Return the sign-in of ``token``, which has to be at one of ``states``.

    Raises:
        SignInExpired: there is none any more.
        WrongStep: it is at another step.
    """
    if token is None:
        raise SignInExpired("no sign-in is under way in this browser")
    row = await _row(uow, PendingSignIn.token_sha256 == token_sha256(token))
    if row.state not in states:
        raise WrongStep(f"the sign-in is at the step {row.state.value!r}")
    return row


async def load_request(uow: UnitOfWork, request_id: str) -> Pending:
    """Return the sign-in that asked an identity provider under this id; raises ``SignInExpired``."""
    return await _row(uow, PendingSignIn.request_id == request_id)


async def _row(uow: UnitOfWork, which: Any) -> Pending:
    statement = select(PendingSignIn).where(which)
    row = (await uow.session.execute(statement)).scalar_one_or_none()
    if row is None or row.expires_at <= uow.now:
        raise SignInExpired
    return Pending(
        key=row.token_sha256,
        state=State(row.state),
        administrator_id=row.administrator_id,
        methods=tuple(row.methods),
        provider_id=row.provider_id,
        request=dict(row.request),
        handoff_sha256=row.handoff_sha256,
    )


async def move(uow: UnitOfWork, pending: Pending, state: State, *, methods: tuple[str, ...]) -> str:
    """Move on to ``state``, with ``methods`` shown so far, under a new token; return that.

    Raises:
        SignInExpired: another request was first.
    """
    token = secrets.token_urlsafe(32)
    await _change(
        uow,
        pending,
        token_sha256=token_sha256(token),
        state=state.value,
        administrator_id=pending.administrator_id,
        methods=list(methods),
    )
    return token


async def answered(uow: UnitOfWork, pending: Pending, state: State, *, administrator_id: int) -> str:
    """Note who it is, as the identity provider said; return the code for the browser that brought it."""
    handoff = secrets.token_urlsafe(32)
    await _change(
        uow,
        pending,
        state=state.value,
        administrator_id=administrator_id,
        handoff_sha256=token_sha256(handoff),
        # The request was answered; a second answer finds nothing.
        request_id=None,
        request={},
    )
    return handoff


def check_handoff(pending: Pending, handoff: str) -> None:
    """Hold the browser that goes on to be the one that brought the provider's answer.

    Raises:
        SignInExpired: it is another.
    """
    if not hmac.compare_digest(pending.handoff_sha256 or "", token_sha256(handoff)):
        raise SignInExpired("the identity provider's answer came to another browser")


async def forget(uow: UnitOfWork, pending: Pending) -> None:
    """End a sign-in.

    Raises:
        SignInExpired: another request was first.
    """
    gone = await uow.session.execute(
        delete(PendingSignIn)
        .where(PendingSignIn.token_sha256 == pending.key, PendingSignIn.state == pending.state.value)
        .returning(PendingSignIn.token_sha256)
    )
    if gone.first() is None:
        raise SignInExpired


async def drop(uow: UnitOfWork, token: str) -> None:
    """End a sign-in, whatever its state; there may be none."""
    await uow.session.execute(delete(PendingSignIn).where(PendingSignIn.token_sha256 == token_sha256(token)))


async def _change(uow: UnitOfWork, pending: Pending, **values: Any) -> None:
    changed = await uow.session.execute(
        update(PendingSignIn)
        .where(PendingSignIn.token_sha256 == pending.key, PendingSignIn.state == pending.state.value)
        .values(**values)
        .returning(PendingSignIn.token_sha256)
    )
    if changed.first() is None:
        raise SignInExpired
