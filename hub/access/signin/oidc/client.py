"""The hub as an OpenID Connect client: discovery, the way to the provider and back, the exchange of the code.

Authorization code flow with PKCE (RFC 7636, S256), state and nonce. Discovery and keys are kept for an hour;
a token signed by an unknown key has the keys fetched again, at most once a minute.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from hub.access.signin.errors import OidcRefused
from hub.access.signin.oidc.outbound import Reach, check_url, get_json, post_form
from hub.access.signin.oidc.tokens import (
    ALGORITHMS,
    ExpectedToken,
    PublicKey,
    UnknownKey,
    load_keys,
    read_id_token,
)

_KEEP_S = 3600.0
_REFETCH_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The hub at one provider."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    reach: Reach = field(default_factory=Reach)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is remembered while somebody is at the provider."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @classmethod
    def new(cls) -> Request:
        """Return fresh random values."""
        return cls(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
        )

    @property
    def challenge(self) -> str:
        """The PKCE challenge of the verifier."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(slots=True)
class _Known:
    configuration: dict[str, Any]
    keys: list[PublicKey]
    read_at_s: float
    keys_at_s: float


class OidcClients:
    """Talks to providers and remembers what they publish."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Reach], _Known] = {}

    async def authorization_url(self, client: Client, request: Request) -> str:
        """Return where to send the browser.

        Raises:
            ProviderUnreachable, OidcRefused: discovery failed.
        """
        known = await self._discover(client)
        endpoint = _endpoint(known.configuration, "authorization_endpoint", client.reach)
        query = urlencode(
            {
                "response_type": "code",
                "client_id": client.client_id,
                "redirect_uri": client.redirect_uri,
                "scope": " ".join(client.scopes),
                "state": request.state,
                "nonce": request.nonce,
                "code_challenge": request.challenge,
                "code_challenge_method": "S256",
            }
        )
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}"

    async def claims(
        self, client: Client, request: Request, *, code: str, issuer: str | None, now: datetime
    ) -> dict[str, Any]:
        """Exchange the code and return the claims of the ID token and of the userinfo endpoint.

        ``issuer`` is the ``iss`` parameter of the answer, if it came (RFC 9207).

        Raises:
            ProviderUnreachable: the provider does not answer, or refuses the code.
            OidcRefused: the answer breaks a rule.
        """
        known = await self._discover(client)
        if known.configuration.get("authorization_response_iss_parameter_supported") and issuer is None:
            raise OidcRefused("NoIssuer", "the answer does not say of which issuer it is")
        if issuer not in {None, client.issuer}:
            raise OidcRefused("WrongIssuer", "the answer is of another issuer")
        tokens = await self._exchange(client, known, code, request.verifier)
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise OidcRefused("NoIdToken", "the provider gave no ID token")
        expected = ExpectedToken(
            issuer=client.issuer,
            client_id=client.client_id,
            nonce=request.nonce,
            now=now,
            algorithms=_algorithms(known.configuration),
        )
        claims = await self._read(client, known, id_token, expected)
        return {**await self._userinfo(client, known, tokens, claims), **claims}

    async def _read(
        self, client: Client, known: _Known, id_token: str, expected: ExpectedToken
    ) -> dict[str, Any]:
        try:
            return read_id_token(id_token, known.keys, expected)
        except UnknownKey:
            if time.monotonic() - known.keys_at_s < _REFETCH_S and known.keys_at_s != known.read_at_s:
                raise
            await self._fetch_keys(client, known)
            return read_id_token(id_token, known.keys, expected)

    async def _exchange(self, client: Client, known: _Known, code: str, verifier: str) -> dict[str, Any]:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "code_verifier": verifier,
        }
        headers: dict[str, str] = {}
        methods = _offered(
            known.configuration, "token_endpoint_auth_methods_supported", "client_secret_basic"
        )
        if "client_secret_basic" in methods:
            pair = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            fields |= {"client_id": client.client_id, "client_secret": client.client_secret}
        endpoint = _endpoint(known.configuration, "token_endpoint", client.reach)
        return await post_form(endpoint, client.reach, fields=fields, headers=headers)

    async def _userinfo(
        self, client: Client, known: _Known, tokens: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> dict[str, Any]:
        access_token = tokens.get("access_token")
        if "userinfo_endpoint" not in known.configuration or not isinstance(access_token, str):
            return {}
        endpoint = _endpoint(known.configuration, "userinfo_endpoint", client.reach)
        found = await get_json(endpoint, client.reach, bearer=access_token)
        if found.get("sub") != claims["sub"]:
            raise OidcRefused("WrongSubject", "the userinfo endpoint tells of somebody else")
        return found

    async def _discover(self, client: Client) -> _Known:
        key = (client.issuer, client.reach)
        known = self._known.get(key)
        now_s = time.monotonic()
        if known is not None and now_s - known.read_at_s < _KEEP_S:
            return known
        url = f"{client.issuer.rstrip('/')}/.well-known/openid-configuration"
        configuration = await get_json(url, client.reach)
        if configuration.get("issuer") != client.issuer:
            raise OidcRefused("WrongIssuer", "discovery names another issuer than the one configured")
        known = _Known(configuration, [], now_s, now_s)
        await self._fetch_keys(client, known)
        known.keys_at_s = known.read_at_s
        self._known[key] = known
        return known

    async def _fetch_keys(self, client: Client, known: _Known) -> None:
        url = _endpoint(known.configuration, "jwks_uri", client.reach)
        known.keys = load_keys(await get_json(url, client.reach))
        known.keys_at_s = time.monotonic()


def _endpoint(configuration: Mapping[str, Any], name: str, reach: Reach) -> str:
    url = configuration.get(name)
    if not isinstance(url, str):
        raise OidcRefused("Discovery", f"discovery names no {name}")
    return check_url(url, reach)


def _algorithms(configuration: Mapping[str, Any]) -> tuple[str, ...]:
    offered = _offered(configuration, "id_token_signing_alg_values_supported", "RS256")
    return tuple(item for item in ALGORITHMS if item in offered)


def _offered(configuration: Mapping[str, Any], name: str, default: str) -> list[Any]:
    found = configuration.get(name)
    return found if isinstance(found, list) else [default]
