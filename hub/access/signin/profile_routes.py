"""One's own second factors and sessions, and everybody's sessions for MRAOs."""

from __future__ import annotations

from hub.access.models import Administrator, Session
from hub.access.service import AccessService
from hub.access.sessions import token_sha256
from hub.access.signin.errors import NoSuchSession
from hub.access.signin.models import Passkey
from hub.access.signin.schemas import (
    MAX_CREDENTIAL,
    CodeIn,
    FactorsOut,
    NewPasskeyIn,
    Nothing,
    PasskeyCreated,
    PasskeyOptions,
    PasskeyRow,
    RecoveryCodesOut,
    SessionRow,
    TotpOut,
)
from hub.access.signin.second_factors import NewPasskey
from hub.access.signin.session_routes import need_session
from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.routing import RouteSet, StreamedResponse, delete, get, post

PASSKEYS = Listing(
    PasskeyRow,
    (
        Column("id", Passkey.id, "ID", kind="int", nullable=False),
        Column("name", Passkey.name, "Name", nullable=False, searchable=True),
        Column("transports", Passkey.transports, "Transports", sortable=False, filterable=False),
        Column("backed_up", Passkey.backed_up, "Backed up", kind="bool", nullable=False),
        Column("created_at", Passkey.created_at, "Created", kind="time", nullable=False),
        Column("last_used_at", Passkey.last_used_at, "Last used", kind="time"),
    ),
    select_from=Passkey,
    id_column=Passkey.id,
    default_sort="id",
    search_min_length=1,
)

SESSIONS = Listing(
    SessionRow,
    (
        Column("id", Session.id, "ID", nullable=False, sortable=False),
        Column("administrator_id", Session.administrator_id, "Administrator", kind="int", nullable=False),
        Column("username", Administrator.username, "User name", nullable=False, searchable=True),
        Column("name", Administrator.name, "Name", nullable=False, searchable=True),
        Column("methods", Session.methods, "Signed in by", sortable=False, filterable=False),
        Column("created_at", Session.created_at, "Signed in", kind="time", nullable=False),
        Column("last_seen_at", Session.last_seen_at, "Last seen", kind="time", nullable=False),
        Column("expires_at", Session.expires_at, "Ends", kind="time", nullable=False),
        Column("remote", Session.remote, "Address", nullable=False, searchable=True),
        Column("user_agent", Session.user_agent, "Browser", sortable=False, nullable=False),
    ),
    select_from=Session.__table__.join(Administrator.__table__, Administrator.id == Session.administrator_id),
    id_column=Session.id,
    default_sort="-last_seen_at",
    search_min_length=1,
)


class FactorRoutes(RouteSet):
    """One's own second factors and sessions."""

    prefix = "/profile"
    tag = "own sign-in"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db
        self._sessions = access.sessions
        self._signin = access.signin
        self._factors = access.signin.factors
        self._passkeys = ListEndpoint(access.db, PASSKEYS)
        self._listing = ListEndpoint(access.db, SESSIONS)

    @get("/factors", action="session.view", summary="Show own second factors", returns=FactorsOut)
    async def show(self, call: Call[None, None]) -> FactorsOut:
        """Say what is set up."""
        async with self._db.read() as session:
            found = await self._factors.state(session, call.principal)
        return FactorsOut(
            factors=list(found.factors),
            recovery_codes_left=found.recovery_codes_left,
            required=found.required,
        )

    @post(
        "/totp",
        action="session.edit",
        summary="Begin to set up an authenticator app",
        body=Nothing,
        returns=TotpOut,
        status=201,
    )
    async def begin_totp(self, call: Call[Nothing, None]) -> TotpOut:
        """Make the app's secret; it counts once a code has confirmed it."""
        need_session(call)
        async with self._db.write() as uow:
            made = await self._factors.begin_totp(uow, int(call.principal.id))
        return TotpOut(secret=made.secret, uri=made.uri, qr_svg=made.qr_svg)

    @post(
        "/totp/confirm",
        action="session.edit",
        summary="Finish setting up an authenticator app",
        body=CodeIn,
        returns=RecoveryCodesOut,
    )
    async def confirm_totp(self, call: Call[CodeIn, None]) -> RecoveryCodesOut:
        """Take the app's first code; the answer has recovery codes if these are the first."""
        need_session(call)
        await self._signin.count_factor(call.principal)
        async with self._db.write() as uow:
            codes = await self._factors.confirm_totp(uow, call.principal, call.body.code.get_secret_value())
        return RecoveryCodesOut(recovery_codes=codes)

    @post("/totp/remove", action="session.edit", summary="Remove the authenticator app", body=CodeIn)
    async def remove_totp(self, call: Call[CodeIn, None]) -> None:
        """Remove the app for one of its codes, or a recovery code."""
        need_session(call)
        await self._signin.count_factor(call.principal)
        async with self._db.write() as uow:
            await self._factors.remove_totp(uow, call.principal, call.body.code.get_secret_value())

    @post(
        "/recovery-codes",
        action="session.edit",
        summary="Make new recovery codes",
        body=Nothing,
        returns=RecoveryCodesOut,
    )
    async def renew_codes(self, call: Call[Nothing, None]) -> RecoveryCodesOut:
        """Make new codes; the old ones are void."""
        need_session(call)
        async with self._db.write() as uow:
            codes = await self._factors.renew_codes(uow, call.principal)
        return RecoveryCodesOut(recovery_codes=codes)

    @get(
        "/passkeys",
        action="session.view",
        summary="List own passkeys",
        query=ListQuery,
        returns=Page[PasskeyRow],
        listing=PASSKEYS,
    )
    async def list_passkeys(self, call: Call[None, ListQuery]) -> Page[PasskeyRow] | StreamedResponse:
        """List the caller's passkeys."""
        return await self._passkeys(call, where=Passkey.administrator_id == int(call.principal.id))

    @post(
        "/passkeys/options",
        action="session.edit",
        summary="Begin to make a passkey",
        body=Nothing,
        returns=PasskeyOptions,
    )
    async def passkey_options(self, call: Call[Nothing, None]) -> PasskeyOptions:
        """Give the challenge; it is bound to this session."""
        owner = token_sha256(need_session(call))
        async with self._db.write() as uow:
            options = await self._factors.passkey_options(uow, int(call.principal.id), owner=owner)
        return PasskeyOptions(public_key=options)

    @post(
        "/passkeys",
        action="session.edit",
        summary="Store a passkey",
        body=NewPasskeyIn,
        returns=PasskeyCreated,
        status=201,
        max_body_bytes=MAX_CREDENTIAL,
    )
    async def add_passkey(self, call: Call[NewPasskeyIn, None]) -> PasskeyCreated:
        """Store the passkey that the browser made."""
        owner = token_sha256(need_session(call))
        new = NewPasskey(credential=call.body.credential, name=call.body.name, owner=owner)
        challenge = await self._factors.take_challenge(new)
        async with self._db.write() as uow:
            passkey_id, codes = await self._factors.add_passkey(uow, call.principal, new, challenge=challenge)
        return PasskeyCreated(id=passkey_id, recovery_codes=codes)

    @delete("/passkeys/{id:int}", action="session.edit", summary="Remove a passkey")
    async def remove_passkey(self, call: Call[None, None]) -> None:
        """Forget one of the caller's passkeys."""
        need_session(call)
        async with self._db.write() as uow:
            await self._factors.remove_passkey(uow, call.principal, call.int_path("id"))

    @get(
        "/sessions",
        action="session.view",
        summary="List own sessions",
        query=ListQuery,
        returns=Page[SessionRow],
        listing=SESSIONS,
    )
    async def list_sessions(self, call: Call[None, ListQuery]) -> Page[SessionRow] | StreamedResponse:
        """List the caller's sessions."""
        return await self._listing(call, where=Session.administrator_id == int(call.principal.id))

    @delete("/sessions/{id}", action="session.edit", summary="End one of one's own sessions")
    async def end_session(self, call: Call[None, None]) -> None:
        """End a session of the caller."""
        which = (Session.id == call.path["id"]) & (Session.administrator_id == int(call.principal.id))
        async with self._db.write() as uow:
            if not await self._sessions.end(uow, which, principal=call.principal, reason="own"):
                raise NoSuchSession


class AllSessionRoutes(RouteSet):
    """Sessions of all administrators."""

    prefix = "/sessions"
    tag = "sessions"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db
        self._sessions = access.sessions
        self._listing = ListEndpoint(access.db, SESSIONS)

    @get(
        "",
        action="sessions.view",
        summary="List all sessions",
        query=ListQuery,
        returns=Page[SessionRow],
        listing=SESSIONS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[SessionRow] | StreamedResponse:
        """List the sessions of all administrators."""
        return await self._listing(call)

    @delete("/{id}", action="sessions.revoke", summary="End a session")
    async def end(self, call: Call[None, None]) -> None:
        """End anybody's session."""
        async with self._db.write() as uow:
            which = Session.id == call.path["id"]
            if not await self._sessions.end(uow, which, principal=call.principal, reason="revoked"):
                raise NoSuchSession
