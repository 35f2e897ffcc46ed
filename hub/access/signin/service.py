"""Signing in: the ways in and the steps after them, each method one step.

Every step takes the token of the sign-in from the browser and gives a new one, or the session when all is
shown. The order of steps is in :mod:`hub.access.signin.states`, opening the session in
:mod:`hub.access.signin.flow`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from hub.access import audit
from hub.access.administrators import Administrators, load_grants
from hub.access.errors import WrongCredentials
from hub.access.login_limits import AddressLimiter, FailureBudget, begin_attempt
from hub.access.models import Administrator
from hub.access.passwords import Passwords
from hub.access.sessions import Sessions, SignIn, token_sha256
from hub.access.signin import pending as pending_rows
from hub.access.signin.access_rules import AccessRules, Audience
from hub.access.signin.client_certificates import ClientCertificates, IsRevoked, never_revoked
from hub.access.signin.client_trust import ClientTrust
from hub.access.signin.errors import (
    AddressNotAllowed,
    ClientCertificateRefused,
    CodeAlreadyUsed,
    NoTotp,
    PasskeyRefused,
    WrongCode,
)
from hub.access.signin.federation import Federation, SentAway
from hub.access.signin.flow import PROVIDER_FACTOR, Browser, Flow, Progress
from hub.access.signin.identity_providers import IdentityProviders
from hub.access.signin.passkeys import AUTHENTICATE, Owner, Passkeys, take_challenge
from hub.access.signin.password_check import PasswordCheck
from hub.access.signin.pending import Pending
from hub.access.signin.second_factors import NewPasskey, SecondFactors
from hub.access.signin.states import Event, State
from hub.access.signin.totp import Totp, TotpEnrolment
from hub.db.errors import HubError
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import ANONYMOUS, Origin, Principal
from pki.at_rest import KeyEncryptionKey, new_key


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInOptions:
    """What signing in is told at the hub's start.

    ``base_url`` is where people open the console; ``certificate_url`` where a browser is asked for a client
    certificate, if that is another address.
    """

    base_url: str = "https://localhost"
    kek: KeyEncryptionKey = field(default_factory=lambda: KeyEncryptionKey(new_key()), repr=False)
    client_trust: ClientTrust = field(default_factory=ClientTrust)
    certificate_revoked: IsRevoked = never_revoked
    certificate_url: str = ""


class SignInService:
    """All ways to sign in."""

    def __init__(
        self,
        db: Database,
        sessions: Sessions,
        passwords: Passwords,
        options: SignInOptions,
        *,
        addresses: AddressLimiter | None = None,
    ) -> None:
        self._db = db
        self._sessions = sessions
        self.options = options
        budget = FailureBudget()
        self.passwords = PasswordCheck(db, passwords, addresses=addresses or AddressLimiter(), budget=budget)
        self.rules = AccessRules(db)
        totp = Totp(options.kek)
        self.passkeys = Passkeys(options.base_url)
        self._flow = Flow(sessions, self.rules, totp, budget)
        self.factors = SecondFactors(db, totp=totp, passkeys=self.passkeys, flow=self._flow)
        self.certificates = ClientCertificates(options.client_trust, is_revoked=options.certificate_revoked)
        self.providers = IdentityProviders(Administrators(passwords), options.kek)
        self.federation = Federation(db, self.providers, base_url=options.base_url)

    async def by_password(self, attempt: SignIn) -> Progress:
        """Begin with user name and password.

        Raises:
            TooManyLogins: the address or the user name has to wait.
            WrongCredentials: they are wrong.
            AddressNotAllowed: access rules don't allow the address.
        """
        await self.rules.check(attempt.remote, frozenset({Audience.ALL}))
        verified = await self.passwords.verify(attempt)
        browser = Browser(origin=attempt.origin, previous_token=attempt.previous_token)
        who = verified.administrator_id
        async with self._refusals(who, attempt.origin, "password"), self._db.write() as uow:
            await self.passwords.confirm(uow, verified, attempt.username)
            return await self._flow.start(
                uow,
                Event.PASSWORD_ACCEPTED,
                administrator_id=who,
                method="password",
                browser=browser,
            )

    async def by_certificate(self, der: bytes | None, browser: Browser) -> Progress:
        """Begin with a client certificate.

        Raises:
            NoClientCertificate, ClientCertificateRefused: there is none, or it is not good.
            AddressNotAllowed: access rules don't allow the address.
        """
        remote = browser.origin.remote
        await self.rules.check(remote, frozenset({Audience.ALL}))
        self.passwords.slow_down(remote)
        async with self._refusals(None, browser.origin, "client_certificate"), self._db.write() as uow:
            administrator_id = await self.certificates.administrator_of(uow, der)
            return await self._flow.start(
                uow,
                Event.CERTIFICATE_ACCEPTED,
                administrator_id=administrator_id,
                method="client_certificate",
                browser=browser,
            )

    async def begin_passkey(self, origin: Origin) -> tuple[str, dict[str, Any]]:
        """Begin with a passkey that says who it is; return the sign-in's token and what the browser needs.

        Raises:
            TooManyLogins: the address has to wait: each beginning is a row.
        """
        self.passwords.slow_down(origin.remote)
        async with self._db.write() as uow:
            token = await pending_rows.begin(uow, State.STARTED)
            options = await self.passkeys.authentication_options(uow, None, owner=token_sha256(token))
        return token, options

    async def by_passkey(self, token: str | None, credential: dict[str, Any], browser: Browser) -> Progress:
        """Sign in with a passkey alone; raises ``PasskeyRefused`` and as :meth:`by_password`."""
        await self.rules.check(browser.origin.remote, frozenset({Audience.ALL}))
        self.passwords.slow_down(browser.origin.remote)
        pending, challenge = await self._challenged(token, State.STARTED)
        async with self._refusals(None, browser.origin, "passkey"), self._db.write() as uow:
            administrator_id = await self.passkeys.authenticate(
                uow, None, credential=credential, challenge=challenge
            )
            known = replace(pending, administrator_id=administrator_id)
            return await self._flow.go_on(
                uow, known, Event.PASSKEY_ACCEPTED, methods=("passkey",), browser=browser
            )

    async def _challenged(self, token: str | None, state: State) -> tuple[Pending, bytes]:
        """Return the sign-in and its challenge, which is used up by that, whatever the answer is worth."""
        async with self._db.write() as uow:
            pending = await pending_rows.load(uow, token, state)
            return pending, await take_challenge(uow, Owner(pending.key, AUTHENTICATE))

    async def begin_federated(self, provider: str, origin: Origin) -> SentAway:
        """Begin with an identity provider; say where to send the browser. Raises as ``Federation.begin``."""
        await self.rules.check(origin.remote, frozenset({Audience.ALL}))
        self.passwords.slow_down(origin.remote)
        return await self.federation.begin(provider)

    async def claim(self, token: str | None, handoff: str, browser: Browser) -> Progress:
        """Go on after an identity provider has answered.

        Raises:
            SignInExpired: this is not the browser that began and brought the answer.
            AddressNotAllowed: access rules don't allow the address.
        """
        async with self._db.write() as uow:
            pending = await pending_rows.load(uow, token, State.RETURNED)
            pending_rows.check_handoff(pending, handoff)
            provider = await self.providers.get(uow.session, pending.provider_id or 0)
        trusted = provider.settings.second_factor == "provider"
        methods = (provider.kind, PROVIDER_FACTOR) if trusted else (provider.kind,)
        refusals = self._refusals(pending.administrator_id, browser.origin, provider.kind)
        async with refusals, self._db.write() as uow:
            return await self._flow.go_on(
                uow, pending, Event.HANDOFF_CLAIMED, methods=methods, browser=browser
            )

    async def by_code(self, token: str | None, code: str, browser: Browser) -> Progress:
        """Show the second factor by a code of the app, or a recovery code.

        Raises:
            WrongCode, CodeAlreadyUsed: it is not good.
            TooManyLogins: too many were tried.
        """
        pending = await self._counted(token, browser)
        async with self._refusals(pending.who, browser.origin, "code"), self._db.write() as uow:
            method = await self.factors.check_code(uow, pending.who, code)
            return await self._flow.go_on(
                uow, pending, Event.SECOND_FACTOR_ACCEPTED, methods=(method,), browser=browser
            )

    async def second_passkey_options(self, token: str | None) -> dict[str, Any]:
        """Return what the browser needs to show a passkey as second factor."""
        async with self._db.write() as uow:
            pending = await pending_rows.load(uow, token, State.SECOND_FACTOR)
            return await self.passkeys.authentication_options(uow, pending.who, owner=pending.key)

    async def by_second_passkey(
        self, token: str | None, credential: dict[str, Any], browser: Browser
    ) -> Progress:
        """Show the second factor by a passkey; raises ``PasskeyRefused`` and as :meth:`by_code`."""
        await self._counted(token, browser)
        pending, challenge = await self._challenged(token, State.SECOND_FACTOR)
        async with self._refusals(pending.who, browser.origin, "passkey"), self._db.write() as uow:
            await self.passkeys.authenticate(uow, pending.who, credential=credential, challenge=challenge)
            return await self._flow.go_on(
                uow, pending, Event.SECOND_FACTOR_ACCEPTED, methods=("passkey",), browser=browser
            )

    async def _counted(self, token: str | None, browser: Browser) -> Pending:
        """Return the sign-in that is at its second factor; the attempt counts before it is looked at."""
        self.passwords.slow_down(browser.origin.remote)
        async with self._db.write() as uow:
            pending = await pending_rows.load(uow, token, State.SECOND_FACTOR)
            await begin_attempt(uow, str(pending.who), kind="factor")
        return pending

    async def enrol_totp(self, token: str | None) -> TotpEnrolment:
        """Begin to set up an app where the role needs a second factor."""
        async with self._db.write() as uow:
            pending = await pending_rows.load(uow, token, State.ENROLMENT)
            return await self.factors.begin_totp(uow, pending.who)

    async def confirm_totp(self, token: str | None, code: str, browser: Browser) -> Progress:
        """Finish setting up an app; the answer has the recovery codes. Raises as ``Totp.confirm``."""
        async with self._db.write() as uow:
            pending = await pending_rows.load(uow, token, State.ENROLMENT)
            principal = await self._principal(uow, pending.who, browser.origin)
            codes = await self.factors.confirm_totp(uow, principal, code)
            return await self._enrolled(uow, pending, "totp", codes, browser)

    async def enrol_passkey_options(self, token: str | None) -> dict[str, Any]:
        """Return what the browser needs to make a passkey where the role needs a second factor."""
        async with self._db.write() as uow:
            pending = await pending_rows.load(uow, token, State.ENROLMENT)
            return await self.factors.passkey_options(uow, pending.who, owner=pending.key)

    async def enrol_passkey(
        self, token: str | None, credential: dict[str, Any], name: str, browser: Browser
    ) -> Progress:
        """Store the passkey and go on; the answer has the recovery codes. Raises ``PasskeyRefused``."""
        async with self._db.write() as uow:
            pending = await pending_rows.load(uow, token, State.ENROLMENT)
        new = NewPasskey(credential=credential, name=name, owner=pending.key)
        challenge = await self.factors.take_challenge(new)
        async with self._db.write() as uow:
            principal = await self._principal(uow, pending.who, browser.origin)
            _, codes = await self.factors.add_passkey(uow, principal, new, challenge=challenge)
            return await self._enrolled(uow, pending, "passkey", codes, browser)

    async def _enrolled(
        self, uow: UnitOfWork, pending: Pending, method: str, codes: list[str], browser: Browser
    ) -> Progress:
        progress = await self._flow.go_on(
            uow, pending, Event.FACTOR_ENROLLED, methods=(method,), browser=browser
        )
        return replace(progress, recovery_codes=tuple(codes))

    async def new_password(self, token: str | None, new: str, browser: Browser) -> Progress:
        """Choose a password in place of the one that was given; raises ``WeakPassword``."""
        async with self._db.write() as uow:
            pending = await pending_rows.load(uow, token, State.NEW_PASSWORD)
        new_hash = await self.passwords.new_hash(pending.who, new)
        async with self._db.write() as uow:
            principal = await self._principal(uow, pending.who, browser.origin)
            await self.passwords.store(uow, principal, new_hash, kept_session=None)
            return await self._flow.go_on(uow, pending, Event.PASSWORD_CHANGED, browser=browser)

    async def step_up_by_certificate(self, principal: Principal, token: str, der: bytes | None) -> str:
        """Mark a session as shown by client certificate too; return its new token.

        Raises:
            NoClientCertificate, ClientCertificateRefused: there is none, or it is not good or another's.
        """
        refusals = self._refusals(int(principal.id), principal.origin, "client_certificate")
        async with refusals, self._db.write() as uow:
            if await self.certificates.administrator_of(uow, der) != int(principal.id):
                raise ClientCertificateRefused("the client certificate is another administrator's")
            return await self._sessions.step_up(uow, token, principal, method="client_certificate")

    async def step_up_by_code(self, principal: Principal, token: str, code: str) -> str:
        """Mark a session as shown by a second factor; return its new token. Raises as :meth:`by_code`."""
        await self.count_factor(principal)
        async with self._refusals(int(principal.id), principal.origin, "code"), self._db.write() as uow:
            method = await self.factors.check_code(uow, int(principal.id), code)
            return await self._sessions.step_up(uow, token, principal, method=method)

    async def count_factor(self, principal: Principal) -> None:
        """Count a code before it is looked at; raises ``TooManyLogins``."""
        async with self._db.write() as uow:
            await begin_attempt(uow, principal.id, kind="factor")

    async def provider_refused(self, name: str, origin: Origin, error: HubError) -> None:
        """Record why an identity provider's answer was not taken, so that an MRAO finds it."""
        async with self._db.write() as uow:
            await audit.record(
                uow,
                principal=replace(ANONYMOUS, origin=origin),
                action="SignInRefused",
                object_type="identity_provider",
                object_id=name[:64],
                organization_id=None,
                details={"reason": error.code, "message": error.message},
            )

    async def cancel(self, token: str | None) -> None:
        """End a sign-in that is under way."""
        if token is not None:
            async with self._db.write() as uow:
                await pending_rows.drop(uow, token)

    async def _principal(self, uow: UnitOfWork, administrator_id: int, origin: Origin) -> Principal:
        statement = select(Administrator.name).where(
            Administrator.id == administrator_id, Administrator.active
        )
        name = (await uow.session.execute(statement)).scalar_one_or_none()
        if name is None:
            raise WrongCredentials
        return Principal(
            kind="administrator",
            id=str(administrator_id),
            name=name,
            grants=await load_grants(uow.session, administrator_id),
            origin=origin,
        )

    @asynccontextmanager
    async def _refusals(
        self, administrator_id: int | None, origin: Origin, method: str
    ) -> AsyncIterator[None]:
        """Count and record what is refused inside, in a transaction of its own."""
        try:
            yield
        except _REFUSALS as error:
            await self.passwords.refused(administrator_id, origin, method, code=error.code)
            raise


_REFUSALS = (
    AddressNotAllowed,
    ClientCertificateRefused,
    CodeAlreadyUsed,
    NoTotp,
    PasskeyRefused,
    WrongCode,
)
