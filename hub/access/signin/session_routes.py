"""Routes of signing in and out: each answers with the next step, or opens the session."""

from __future__ import annotations

from typing import Any

from hub.access.policy import ACTIONS, authorize
from hub.access.schemas import PasswordIn, SessionOut, SignInIn
from hub.access.service import AccessService
from hub.access.sessions import SignIn
from hub.access.signin.errors import PasskeysNeedName
from hub.access.signin.flow import Browser, Progress
from hub.access.signin.schemas import (
    MAX_CREDENTIAL,
    CodeIn,
    CredentialIn,
    EnrolledOut,
    HandoffIn,
    NewPasskeyIn,
    NewPasswordIn,
    Nothing,
    PasskeyOptions,
    ProviderChoice,
    ProviderIn,
    RedirectOut,
    SignInMethods,
    SignInStep,
    TotpOut,
)
from hub.db.errors import Unauthenticated
from hub.http.authentication import csrf_token
from hub.http.calls import Call
from hub.http.principal import Principal
from hub.http.routing import PUBLIC, Answer, RouteSet, delete, get, post


def describe(principal: Principal, session_token: str | None) -> SessionOut:
    """Return what the console is told about its session."""
    return SessionOut.of(
        principal,
        actions=[action for action in sorted(ACTIONS) if authorize(principal, action).allowed],
        csrf_token=csrf_token(session_token) if session_token is not None else None,
    )


def session_of(call: Call[Any, Any]) -> str | None:
    """Return the token of the console session; a bearer token wins over a cookie that came along."""
    return call.session_token if call.principal.kind == "administrator" else None


def need_session(call: Call[Any, Any]) -> str:
    """Return the session's token.

    Raises:
        Unauthenticated: the call came with an API token.
    """
    token = session_of(call)
    if token is None:
        raise Unauthenticated("this is done in a console session, not with an API token")
    return token


def browser_of(call: Call[Any, Any]) -> Browser:
    """Return who signs in."""
    return Browser(origin=call.principal.origin, previous_token=call.session_token)


def _next(progress: Progress) -> SessionOut | SignInStep:
    if progress.opened is not None:
        return describe(progress.opened.principal, progress.opened.token)
    return SignInStep.model_validate(
        {
            "step": progress.state.value,
            "factors": list(progress.factors),
            "expires_at": progress.expires_at,
        }
    )


def _answer(progress: Progress, value: object = None) -> Answer:
    done = progress.opened is not None
    return Answer(
        value=_next(progress) if value is None else value,
        start_session=progress.opened.token if progress.opened is not None else None,
        start_pending=progress.token,
        end_pending=done,
    )


def _enrolled(progress: Progress) -> Answer:
    value = EnrolledOut(recovery_codes=list(progress.recovery_codes), next=_next(progress))
    return _answer(progress, value)


class SessionRoutes(RouteSet):
    """Signing in and out of the console."""

    prefix = "/session"
    tag = "session"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db
        self._sessions = access.sessions
        self._signin = access.signin

    @get("/methods", action=PUBLIC, summary="List the ways to sign in", returns=SignInMethods)
    async def methods(self, _call: Call[None, None]) -> SignInMethods:
        """Say what a sign-in page may offer."""
        async with self._db.read() as session:
            providers = await self._signin.providers.active(session)
        return SignInMethods(
            passkeys=self._passkeys_work(),
            client_certificates=self._signin.certificates.are_configured,
            client_certificate_url=self._signin.options.certificate_url,
            providers=[
                ProviderChoice.model_validate({"name": item.name, "label": item.label, "kind": item.kind})
                for item in providers
            ],
        )

    def _passkeys_work(self) -> bool:
        try:
            return bool(self._signin.passkeys.relying_party)
        except PasskeysNeedName:
            return False

    @post("", action=PUBLIC, summary="Sign in", body=SignInIn, returns=SessionOut | SignInStep)
    async def sign_in(self, call: Call[SignInIn, None]) -> Answer:
        """Begin with a password; open a session if nothing else is needed."""
        progress = await self._signin.by_password(
            SignIn(
                username=call.body.username,
                password=call.body.password.get_secret_value(),
                remote=call.remote,
                user_agent=call.headers.get("User-Agent", ""),
                previous_token=call.session_token,
            )
        )
        return _answer(progress)

    @get("", action="session.view", summary="Who is signed in", returns=SessionOut)
    async def show(self, call: Call[None, None]) -> SessionOut:
        """Describe the caller."""
        return describe(call.principal, session_of(call))

    @delete("", action="session.edit", summary="Sign out")
    async def sign_out(self, call: Call[None, None]) -> Answer:
        """End the session and drop its cookie."""
        token = session_of(call)
        if token is not None:
            await self._sessions.sign_out(token, call.principal)
        return Answer(end_session=True)

    @post("/password", action="session.edit", summary="Change the own password", body=PasswordIn)
    async def change_password(self, call: Call[PasswordIn, None]) -> None:
        """Set a new password; other sessions end."""
        await self._signin.passwords.change(
            call.principal,
            current=call.body.current_password.get_secret_value(),
            new=call.body.new_password.get_secret_value(),
            token=need_session(call),
        )

    @post(
        "/certificate",
        action=PUBLIC,
        summary="Sign in with the connection's client certificate",
        body=Nothing,
        returns=SessionOut | SignInStep,
    )
    async def by_certificate(self, call: Call[Nothing, None]) -> Answer:
        """Begin with a client certificate."""
        return _answer(await self._signin.by_certificate(call.client_certificate, browser_of(call)))

    @post(
        "/passkey/options",
        action=PUBLIC,
        summary="Begin to sign in with a passkey alone",
        body=Nothing,
        returns=PasskeyOptions,
    )
    async def passkey_options(self, call: Call[Nothing, None]) -> Answer:
        """Give the challenge for a discoverable passkey."""
        token, options = await self._signin.begin_passkey(call.principal.origin)
        return Answer(value=PasskeyOptions(public_key=options), start_pending=token)

    @post(
        "/passkey",
        action=PUBLIC,
        summary="Sign in with a passkey alone",
        body=CredentialIn,
        returns=SessionOut | SignInStep,
        max_body_bytes=MAX_CREDENTIAL,
    )
    async def by_passkey(self, call: Call[CredentialIn, None]) -> Answer:
        """Check the passkey's answer."""
        return _answer(
            await self._signin.by_passkey(call.pending_token, call.body.credential, browser_of(call))
        )

    @post(
        "/provider",
        action=PUBLIC,
        summary="Begin to sign in with an identity provider",
        body=ProviderIn,
        returns=RedirectOut,
    )
    async def by_provider(self, call: Call[ProviderIn, None]) -> Answer:
        """Say where to send the browser."""
        sent = await self._signin.begin_federated(call.body.provider, call.principal.origin)
        return Answer(value=RedirectOut(redirect_url=sent.redirect_url), start_pending=sent.token)

    @post(
        "/provider/claim",
        action=PUBLIC,
        summary="Go on after the identity provider has answered",
        body=HandoffIn,
        returns=SessionOut | SignInStep,
    )
    async def claim(self, call: Call[HandoffIn, None]) -> Answer:
        """Take the code that the answer led to."""
        code = call.body.code.get_secret_value()
        return _answer(await self._signin.claim(call.pending_token, code, browser_of(call)))

    @post(
        "/second-factor/code",
        action=PUBLIC,
        summary="Show the second factor by a code",
        body=CodeIn,
        returns=SessionOut | SignInStep,
    )
    async def by_code(self, call: Call[CodeIn, None]) -> Answer:
        """Take a code of the app, or a recovery code."""
        code = call.body.code.get_secret_value()
        return _answer(await self._signin.by_code(call.pending_token, code, browser_of(call)))

    @post(
        "/second-factor/passkey/options",
        action=PUBLIC,
        summary="Begin to show a passkey as second factor",
        body=Nothing,
        returns=PasskeyOptions,
    )
    async def second_passkey_options(self, call: Call[Nothing, None]) -> PasskeyOptions:
        """Give the challenge."""
        return PasskeyOptions(public_key=await self._signin.second_passkey_options(call.pending_token))

    @post(
        "/second-factor/passkey",
        action=PUBLIC,
        summary="Show the second factor by a passkey",
        body=CredentialIn,
        returns=SessionOut | SignInStep,
        max_body_bytes=MAX_CREDENTIAL,
    )
    async def by_second_passkey(self, call: Call[CredentialIn, None]) -> Answer:
        """Check the passkey's answer."""
        return _answer(
            await self._signin.by_second_passkey(call.pending_token, call.body.credential, browser_of(call))
        )

    @post(
        "/enrolment/totp",
        action=PUBLIC,
        summary="Begin to set up an authenticator app while signing in",
        body=Nothing,
        returns=TotpOut,
    )
    async def enrol_totp(self, call: Call[Nothing, None]) -> TotpOut:
        """Make the app's secret."""
        made = await self._signin.enrol_totp(call.pending_token)
        return TotpOut(secret=made.secret, uri=made.uri, qr_svg=made.qr_svg)

    @post(
        "/enrolment/totp/confirm",
        action=PUBLIC,
        summary="Finish setting up an authenticator app while signing in",
        body=CodeIn,
        returns=EnrolledOut,
    )
    async def confirm_totp(self, call: Call[CodeIn, None]) -> Answer:
        """Take the app's first code."""
        code = call.body.code.get_secret_value()
        return _enrolled(await self._signin.confirm_totp(call.pending_token, code, browser_of(call)))

    @post(
        "/enrolment/passkey/options",
        action=PUBLIC,
        summary="Begin to make a passkey while signing in",
        body=Nothing,
        returns=PasskeyOptions,
    )
    async def enrol_passkey_options(self, call: Call[Nothing, None]) -> PasskeyOptions:
        """Give the challenge."""
        return PasskeyOptions(public_key=await self._signin.enrol_passkey_options(call.pending_token))

    @post(
        "/enrolment/passkey",
        action=PUBLIC,
        summary="Store a passkey while signing in",
        body=NewPasskeyIn,
        returns=EnrolledOut,
        max_body_bytes=MAX_CREDENTIAL,
    )
    async def enrol_passkey(self, call: Call[NewPasskeyIn, None]) -> Answer:
        """Store the passkey."""
        return _enrolled(
            await self._signin.enrol_passkey(
                call.pending_token, call.body.credential, call.body.name, browser_of(call)
            )
        )

    @post(
        "/new-password",
        action=PUBLIC,
        summary="Choose a password while signing in",
        body=NewPasswordIn,
        returns=SessionOut | SignInStep,
    )
    async def new_password(self, call: Call[NewPasswordIn, None]) -> Answer:
        """Replace the password that was given."""
        new = call.body.new_password.get_secret_value()
        return _answer(await self._signin.new_password(call.pending_token, new, browser_of(call)))

    @post("/cancel", action=PUBLIC, summary="Give up a sign-in that is under way", body=Nothing)
    async def cancel(self, call: Call[Nothing, None]) -> Answer:
        """Forget it."""
        await self._signin.cancel(call.pending_token)
        return Answer(end_pending=True)

    @post(
        "/step-up/certificate",
        action="session.edit",
        summary="Strengthen the session with the connection's client certificate",
        body=Nothing,
        returns=SessionOut,
    )
    async def step_up_by_certificate(self, call: Call[Nothing, None]) -> Answer:
        """Give the session a new token, marked as shown by certificate."""
        token = await self._signin.step_up_by_certificate(
            call.principal, need_session(call), call.client_certificate
        )
        return await self._stepped_up(token)

    @post(
        "/step-up/code",
        action="session.edit",
        summary="Strengthen the session with a code",
        body=CodeIn,
        returns=SessionOut,
    )
    async def step_up_by_code(self, call: Call[CodeIn, None]) -> Answer:
        """Give the session a new token, marked as shown by a second factor."""
        code = call.body.code.get_secret_value()
        token = await self._signin.step_up_by_code(call.principal, need_session(call), code)
        return await self._stepped_up(token)

    async def _stepped_up(self, token: str) -> Answer:
        return Answer(value=describe(await self._sessions.principal(token), token), start_session=token)
