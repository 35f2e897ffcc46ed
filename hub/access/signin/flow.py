"""From an accepted factor to the next step, or to a session: the only code that opens one.

Each step runs the table of :mod:`hub.access.signin.states` against what the account needs, and stores the
outcome under a new token.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.administrators import load_grants
from hub.access.errors import WrongCredentials
from hub.access.login_limits import FailureBudget, forget_failures
from hub.access.models import Administrator
from hub.access.sessions import OpenSession, Sessions
from hub.access.signin import pending as pending_rows
from hub.access.signin.access_rules import AccessRules, Audience, audiences_of
from hub.access.signin.passkeys import has_passkey
from hub.access.signin.pending import Pending
from hub.access.signin.recovery_codes import left
from hub.access.signin.sign_in_policy import second_factor_roles
from hub.access.signin.states import Effect, Event, Needs, State, settle
from hub.access.signin.totp import Totp
from hub.db.uow import UnitOfWork
from hub.http.principal import Origin

PROVIDER_METHODS = frozenset({"saml", "oidc"})
# Added to the methods of a sign-in whose identity provider has asked for the second factor itself.
PROVIDER_FACTOR = "provider_second_factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """Who asks: address, program, and the session that the browser had; that session ends."""

    origin: Origin
    previous_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a sign-in stands after a step: ``opened`` when done, else ``token`` for the next step."""

    state: State
    token: str | None = field(default=None, repr=False)
    opened: OpenSession | None = None
    factors: tuple[str, ...] = ()
    expires_at: datetime | None = None
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


class Flow:
    """Moves sign-ins on."""

    def __init__(self, sessions: Sessions, rules: AccessRules, totp: Totp, budget: FailureBudget) -> None:
        self._sessions = sessions
        self._rules = rules
        self._totp = totp
        self._budget = budget

    async def factors_of(self, session: AsyncSession, administrator_id: int) -> tuple[str, ...]:
        """Return the second factors that somebody has set up; recovery codes stand in for the others."""
        found = []
        if await self._totp.is_confirmed(session, administrator_id):
            found.append("totp")
        if await has_passkey(session, administrator_id):
            found.append("passkey")
        if found and await left(session, administrator_id):
            found.append("recovery_code")
        return tuple(found)

    async def start(
        self, uow: UnitOfWork, event: Event, *, administrator_id: int, method: str, browser: Browser
    ) -> Progress:
        """Begin with a first factor that was accepted."""
        fresh = Pending(key="", state=State.STARTED, administrator_id=administrator_id, methods=())
        return await self._settle(uow, fresh, event, shown=(method,), browser=browser)

    async def go_on(
        self,
        uow: UnitOfWork,
        pending: Pending,
        event: Event,
        *,
        browser: Browser,
        methods: tuple[str, ...] = (),
    ) -> Progress:
        """Move a sign-in on by ``event``; ``methods`` are the factors that were shown.

        Raises:
            AddressNotAllowed: rules for the roles of this administrator don't allow the address.
            SignInExpired: another request was first, or the account is switched off.
        """
        return await self._settle(uow, pending, event, shown=methods, browser=browser)

    async def _settle(
        self, uow: UnitOfWork, pending: Pending, event: Event, *, shown: tuple[str, ...], browser: Browser
    ) -> Progress:
        methods = (*pending.methods, *shown)
        account = await self._account(uow.session, pending.who, methods)
        await self._rules.check(browser.origin.remote, account.audiences)
        state, effect = settle(pending.state, event, account.needs)
        if effect is Effect.OPEN_SESSION:
            return await self._open(uow, pending, methods, browser, account.username)
        if pending.key:
            token = await pending_rows.move(uow, pending, state, methods=methods)
        else:
            token = await pending_rows.begin(
                uow, state, administrator_id=pending.administrator_id, methods=methods
            )
        return Progress(
            state=state,
            token=token,
            factors=account.factors if state is State.SECOND_FACTOR else (),
            expires_at=uow.now + pending_rows.LIFETIME,
        )

    async def _open(
        self,
        uow: UnitOfWork,
        pending: Pending,
        methods: tuple[str, ...],
        browser: Browser,
        username: str,
    ) -> Progress:
        if pending.key:
            await pending_rows.forget(uow, pending)
        opened = await self._sessions.open(
            uow,
            pending.who,
            methods=list(methods),
            origin=browser.origin,
            previous_token=browser.previous_token,
        )
        await forget_failures(uow, username)
        await forget_failures(uow, str(pending.who), kind="factor")
        uow.after_commit(lambda: self._budget.succeeded(browser.origin.remote))
        return Progress(state=State.COMPLETE, opened=opened)

    async def _account(
        self, session: AsyncSession, administrator_id: int, methods: tuple[str, ...]
    ) -> _Account:
        row = (
            await session.execute(
                select(Administrator.username, Administrator.must_change_password).where(
                    Administrator.id == administrator_id, Administrator.active
                )
            )
        ).first()
        if row is None:
            raise WrongCredentials
        grants = await load_grants(session, administrator_id)
        factors = await self.factors_of(session, administrator_id)
        trusted = PROVIDER_FACTOR in methods
        required = await second_factor_roles(session)
        needs = Needs(
            second_factor=bool(factors) and not trusted,
            enrolment=not factors and not trusted and any(grant.role in required for grant in grants),
            new_password=row.must_change_password and "password" in methods,
        )
        return _Account(row.username, needs, factors, audiences_of(grants))


@dataclass(frozen=True, slots=True)
class _Account:
    username: str
    needs: Needs
    factors: tuple[str, ...]
    audiences: frozenset[Audience]
