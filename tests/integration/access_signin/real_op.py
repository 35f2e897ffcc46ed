"""An OpenID provider of the library pyop, behind an aiohttp server on loopback."""

from __future__ import annotations

import warnings
from contextlib import asynccontextmanager

from aiohttp import web

with warnings.catch_warnings():
    # Of old crypto names that the library imports.
    warnings.simplefilter("ignore")
    from Cryptodome.PublicKey import RSA
    from jwkest.jwk import RSAKey
    from pyop.authz_state import AuthorizationState
    from pyop.provider import Provider
    from pyop.subject_identifier import HashBasedSubjectIdentifierFactory
    from pyop.userinfo import Userinfo

PEOPLE = {
    "bob": {
        "name": "Bob B.",
        "email": "bob@corp.example",
        "preferred_username": "bob",
        "profile": "pki-admin",
    }
}


class RealOp:
    """The provider, what it was asked, and knobs to break it."""

    def __init__(self, issuer):
        self.issuer, self.person = issuer, "bob"
        self.clients = {}
        self.asked = []
        self.change_tokens = lambda tokens: tokens
        self.change_configuration = lambda found: found
        self.provider = Provider(
            self._key("one"),
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "userinfo_endpoint": f"{issuer}/userinfo",
                "jwks_uri": f"{issuer}/jwks",
                "response_types_supported": ["code"],
                "scopes_supported": ["openid", "profile", "email"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            },
            AuthorizationState(HashBasedSubjectIdentifierFactory("salt")),
            self.clients,
            Userinfo(PEOPLE),
        )

    @staticmethod
    def _key(kid):
        return RSAKey(key=RSA.generate(2048), kid=kid, alg="RS256", use="sig")

    def roll_over(self):
        self.provider.signing_key = self._key("two")

    def register(self, client_id, secret, redirect_uri):
        self.clients[client_id] = {
            "client_id": client_id,
            "client_secret": secret,
            "redirect_uris": [redirect_uri],
            "response_types": ["code"],
            "subject_type": "public",
            "token_endpoint_auth_method": "client_secret_basic",
        }

    async def configuration(self, request):
        self.asked.append(request.path)
        return web.json_response(self.change_configuration(self.provider.provider_configuration.to_dict()))

    async def jwks(self, request):
        self.asked.append(request.path)
        return web.json_response(self.provider.jwks)

    async def authorize(self, request):
        asked = self.provider.parse_authentication_request(request.query_string)
        answer = self.provider.authorize(asked, self.person)
        raise web.HTTPFound(answer.request(asked["redirect_uri"]))

    async def token(self, request):
        body = await request.text()
        headers = {"Authorization": request.headers.get("Authorization", "")}
        try:
            tokens = self.provider.handle_token_request(body, headers).to_dict()
        except Exception as error:  # noqa: BLE001 - the border of the test's provider
            return web.json_response({"error": type(error).__name__}, status=400)
        return web.json_response(self.change_tokens(tokens))

    async def userinfo(self, request):
        headers = {"Authorization": request.headers["Authorization"]}
        return web.json_response(self.provider.handle_userinfo_request(None, headers).to_dict())

    @classmethod
    @asynccontextmanager
    async def running(cls, tls):
        runner = web.AppRunner(web.Application(), shutdown_timeout=1.0)
        routes = runner.app.router
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            holder = {}
            for method, path, name in (
                ("GET", "/.well-known/openid-configuration", "configuration"),
                ("GET", "/jwks", "jwks"),
                ("GET", "/authorize", "authorize"),
                ("POST", "/token", "token"),
                ("GET", "/userinfo", "userinfo"),
            ):

                async def handle(request, name=name):
                    return await getattr(holder["op"], name)(request)

                routes.add_route(method, path, handle)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
            await site.start()
            holder["op"] = cls(f"https://127.0.0.1:{runner.addresses[0][1]}")
            try:
                yield holder["op"]
            finally:
                await runner.cleanup()
