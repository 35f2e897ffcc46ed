"""The way to an identity provider and back, for SAML and OIDC alike.

Begun in the console, the sign-in has a token in the browser that began it. The provider's answer comes with
whatever browser brings it, which is given a one-time code. Only a browser with both goes on: neither can
somebody be signed in to another's account, nor another's answer be caught.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, replace

from sqlalchemy import delete, insert, select

from hub.access.signin import pending as pending_rows
from hub.access.signin.errors import OidcRefused, SamlRefused, SignInExpired
from hub.access.signin.identity_providers import IdentityProviders, Provider
from hub.access.signin.models import SeenAssertion
from hub.access.signin.oidc.client import Client, OidcClients, Request
from hub.access.signin.oidc.outbound import Reach
from hub.access.signin.pending import Pending
from hub.access.signin.provider_settings import OidcSettings, SamlSettings
from hub.access.signin.saml.metadata import load_certificate
from hub.access.signin.saml.requests import ServiceProvider, new_request_id, redirect_url, service_metadata
from hub.access.signin.saml.responses import (
    SKEW,
    TRANSIENT,
    Assertion,
    Expected,
    read_response,
    request_id_of,
)
from hub.access.signin.saml.xml import MAX_BYTES, parse
from hub.access.signin.states import Event, State, advance
from hub.access.signin.templates import Identity, attributes_of_claims
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import ANONYMOUS, Origin
from hub.http.routing import API_BASE

_MAX_SUBJECT = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAway:
    """Where the browser goes, and the token of the sign-in that waits for it."""

    token: str
    redirect_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAnswer:
    """What an OpenID provider sends the browser back with. ``error`` is set instead of ``code``."""

    state: str
    code: str = ""
    error: str = ""
    issuer: str | None = None


class Federation:
    """Sign-in with identity providers."""

    def __init__(
        self, db: Database, providers: IdentityProviders, *, base_url: str, clients: OidcClients | None = None
    ) -> None:
        self._db = db
        self._providers = providers
        self._base_url = base_url.rstrip("/")
        self._clients = clients or OidcClients()

    def service_provider(self, name: str) -> ServiceProvider:
        """Return the hub as the SAML provider of this name knows it."""
        base = f"{self._base_url}{API_BASE}/session/saml/{name}"
        return ServiceProvider(entity_id=f"{base}/metadata", acs_url=f"{base}/acs")

    def redirect_uri(self, name: str) -> str:
        """Return where the OpenID provider of this name sends browsers back to."""
        return f"{self._base_url}{API_BASE}/session/oidc/{name}/callback"

    async def metadata(self, name: str) -> bytes:
        """Return the hub's SAML metadata for a provider; raises ``NoSuchProvider``."""
        async with self._db.read() as session:
            await self._providers.by_name(session, name)
        return service_metadata(self.service_provider(name))

    async def begin(self, name: str) -> SentAway:
        """Begin a sign-in with the provider of this name.

        Raises:
            NoSuchProvider: there is no active one.
            ProviderUnreachable, OidcRefused: discovery failed.
        """
        async with self._db.read() as session:
            provider = await self._providers.by_name(session, name)
        if isinstance(provider.settings, SamlSettings):
            return await self._begin_saml(provider, provider.settings)
        return await self._begin_oidc(provider)

    async def _begin_saml(self, provider: Provider, settings: SamlSettings) -> SentAway:
        request_id = new_request_id()
        async with self._db.write() as uow:
            token = await self._wait(uow, provider, request_id, {})
            url = redirect_url(
                settings.sso_url,
                self.service_provider(provider.name),
                request_id=request_id,
                now=uow.now,
                name_id_format=settings.name_id_format,
            )
        return SentAway(token=token, redirect_url=url)

    async def _begin_oidc(self, provider: Provider) -> SentAway:
        request = Request.new()
        url = await self._clients.authorization_url(self._client(provider), request)
        async with self._db.write() as uow:
            remembered = {"nonce": request.nonce, "verifier": request.verifier}
            token = await self._wait(uow, provider, request.state, remembered)
        return SentAway(token=token, redirect_url=url)

    async def _wait(
        self, uow: UnitOfWork, provider: Provider, request_id: str, request: dict[str, str]
    ) -> str:
        state, _ = advance(State.STARTED, Event.PROVIDER_ASKED)
        return await pending_rows.begin(
            uow, state, provider_id=provider.id, request_id=request_id, request=request
        )

    def _client(self, provider: Provider) -> Client:
        settings = provider.settings
        if not isinstance(settings, OidcSettings):
            raise OidcRefused("WrongKind", "the identity provider is not for OpenID Connect")
        return Client(
            issuer=settings.issuer,
            client_id=settings.client_id,
            client_secret=provider.client_secret,
            redirect_uri=self.redirect_uri(provider.name),
            scopes=tuple(settings.scopes),
            reach=Reach(private_network=settings.private_network, ca_pem=settings.ca_pem),
        )

    async def saml_answered(self, name: str, response: str, *, origin: Origin) -> str:
        """Take a SAML response; return the code for the browser that brought it.

        Raises:
            SamlRefused: the response is not good.
            SignInExpired: it answers a request that is not open, or was answered.
            NoTemplateMatches, LinkNeeded: nobody here.
        """
        root = parse(_decoded(response))
        request_id = request_id_of(root)
        async with self._db.write() as uow:
            provider, pending = await self._open_request(uow, name, request_id)
            settings = provider.settings
            if not isinstance(settings, SamlSettings):
                raise SamlRefused("WrongKind", "the identity provider is not for SAML")
            service = self.service_provider(name)
            expected = Expected(
                issuer=settings.entity_id,
                certificates=[load_certificate(item) for item in settings.certificates],
                audience=service.entity_id,
                recipient=service.acs_url,
                request_id=request_id,
                now=uow.now,
                signed=settings.signed,
            )
            assertion = read_response(root, expected)
            await _remember(uow, provider.id, assertion)
            identity = Identity(
                subject=_subject_of(assertion, settings), attributes=dict(assertion.attributes)
            )
            return await self._answered(uow, provider, pending, identity, origin)

    async def oidc_answered(self, name: str, answer: CodeAnswer, *, origin: Origin) -> str:
        """Take an authorization code; return the code for the browser that brought it.

        Raises:
            OidcRefused, ProviderUnreachable: the provider refused, or its answer is not good.
            SignInExpired: it answers a request that is not open, or was answered.
            NoTemplateMatches, LinkNeeded: nobody here.
        """
        async with self._db.write() as uow:
            provider, pending = await self._open_request(uow, name, answer.state)
            client = self._client(provider)
            now = uow.now
        if answer.error:
            raise OidcRefused("RefusedByProvider", f"the identity provider answered {answer.error[:100]!r}")
        request = Request(
            state=answer.state, nonce=pending.request["nonce"], verifier=pending.request["verifier"]
        )
        # Outside of transactions: this asks the provider.
        claims = await self._clients.claims(client, request, code=answer.code, issuer=answer.issuer, now=now)
        identity = Identity(subject=claims["sub"], attributes=attributes_of_claims(claims))
        async with self._db.write() as uow:
            return await self._answered(uow, provider, pending, identity, origin)

    async def _open_request(self, uow: UnitOfWork, name: str, request_id: str) -> tuple[Provider, Pending]:
        provider = await self._providers.by_name(uow.session, name)
        pending = await pending_rows.load_request(uow, request_id)
        if pending.provider_id != provider.id or pending.state is not State.AT_PROVIDER:
            raise SignInExpired
        return provider, pending

    async def _answered(
        self, uow: UnitOfWork, provider: Provider, pending: Pending, identity: Identity, origin: Origin
    ) -> str:
        administrator_id = await self._providers.administrator_of(
            uow, provider, identity, remote=replace(ANONYMOUS, origin=origin)
        )
        state, _ = advance(pending.state, Event.PROVIDER_ANSWERED)
        return await pending_rows.answered(uow, pending, state, administrator_id=administrator_id)


def _decoded(response: str) -> bytes:
    if len(response) > MAX_BYTES * 2:
        raise SamlRefused("TooLarge", f"the message is larger than {MAX_BYTES} bytes")
    try:
        return base64.b64decode("".join(response.split()), validate=True)
    except (binascii.Error, ValueError):
        raise SamlRefused("NotBase64", "the message is not base64") from None


def _subject_of(assertion: Assertion, settings: SamlSettings) -> str:
    if settings.subject_attribute:
        values = assertion.attributes.get(settings.subject_attribute, ())
        subject = values[0] if len(values) == 1 else ""
    else:
        if assertion.name_id_format == TRANSIENT:
            raise SamlRefused(
                "TransientNameId",
                "the provider names people anew each time; set a subject attribute here",
            )
        subject = assertion.subject
    if not subject or len(subject) > _MAX_SUBJECT:
        raise SamlRefused("NoSubject", "the assertion does not say who signed in")
    return subject


async def _remember(uow: UnitOfWork, provider_id: int, assertion: Assertion) -> None:
    await uow.session.execute(delete(SeenAssertion).where(SeenAssertion.expires_at < uow.now))
    sha256 = hashlib.sha256(assertion.id.encode()).hexdigest()
    seen = select(SeenAssertion.provider_id).where(
        SeenAssertion.provider_id == provider_id, SeenAssertion.assertion_sha256 == sha256
    )
    if (await uow.session.execute(seen)).first() is not None:
        raise SamlRefused("Replayed", "this assertion was used before")
    await uow.session.execute(
        insert(SeenAssertion).values(
            provider_id=provider_id, assertion_sha256=sha256, expires_at=assertion.expires_at + 2 * SKEW
        )
    )
