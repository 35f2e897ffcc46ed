"""Where identity providers send browsers back to, and the hub's SAML metadata.

A browser that brings an answer is sent on to the console's sign-in page with a one-time code, or with what
went wrong, in the address's fragment: that part goes to no server and into no log.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any
from urllib.parse import parse_qs, urlencode

import structlog

from hub.access.service import AccessService
from hub.access.signin.errors import SamlRefused
from hub.access.signin.federation import CodeAnswer
from hub.access.signin.saml.xml import MAX_BYTES
from hub.access.signin.schemas import OidcAnswer
from hub.db.errors import HubError, Malformed
from hub.http.calls import Call
from hub.http.routing import PUBLIC, RawResponse, RouteSet, get, post

_log = structlog.get_logger(__name__)

SIGN_IN_PAGE = "/sign-in"
_FORM = "application/x-www-form-urlencoded"
# Base64 and percent-encoding make a message half as large again, and more.
_MAX_FORM = MAX_BYTES * 3
_MAX_FIELDS = 8


class FederationRoutes(RouteSet):
    """Answers of identity providers."""

    prefix = "/session"
    tag = "session"

    def __init__(self, access: AccessService) -> None:
        self._signin = access.signin

    @get(
        "/saml/{name}/metadata",
        action=PUBLIC,
        summary="The hub's SAML metadata for an identity provider",
        returns=RawResponse,
        media_type="application/samlmetadata+xml",
    )
    async def metadata(self, call: Call[None, None]) -> RawResponse:
        """Return the metadata."""
        body = await self._signin.federation.metadata(call.path["name"])
        return RawResponse(body, "application/samlmetadata+xml", filename="certwright-metadata.xml")

    @post(
        "/saml/{name}/acs",
        action=PUBLIC,
        summary="Take a SAML response (HTTP-POST binding)",
        returns=RawResponse,
        media_type="text/html",
        reads_raw_body=True,
        max_body_bytes=_MAX_FORM,
    )
    async def acs(self, call: Call[None, None]) -> RawResponse:
        """Check the response and send the browser on."""
        name = call.path["name"]
        return await self._sent_on(call, name, self._saml_answered(call, name))

    async def _saml_answered(self, call: Call[None, None], name: str) -> str:
        response = _saml_response(call.raw_body, call.headers.get("Content-Type", ""))
        return await self._signin.federation.saml_answered(name, response, origin=call.principal.origin)

    @get(
        "/oidc/{name}/callback",
        action=PUBLIC,
        summary="Take an OpenID provider's answer",
        query=OidcAnswer,
        returns=RawResponse,
        media_type="text/html",
    )
    async def callback(self, call: Call[None, OidcAnswer]) -> RawResponse:
        """Exchange the code and send the browser on."""
        name = call.path["name"]
        answer = CodeAnswer(
            state=call.query.state, code=call.query.code, error=call.query.error, issuer=call.query.iss
        )
        answered = self._signin.federation.oidc_answered(name, answer, origin=call.principal.origin)
        return await self._sent_on(call, name, answered)

    async def _sent_on(self, call: Call[Any, Any], name: str, answered: Awaitable[str]) -> RawResponse:
        try:
            fragment = {"code": await answered}
        except HubError as error:
            await self._signin.provider_refused(name, call.principal.origin, error)
            if "text/html" not in call.headers.get("Accept", ""):
                raise
            fragment = {"error": error.code, "detail": error.message, "request_id": call.request_id}
        location = f"{SIGN_IN_PAGE}#{urlencode(fragment)}"
        return RawResponse(b"", "text/html; charset=utf-8", status=303, headers={"Location": location})


def _saml_response(body: bytes, content_type: str) -> str:
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise SamlRefused("NotAForm", "the response did not come as a form")
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise SamlRefused("NotAForm", "the form can't be read") from error
    found = fields.get("SAMLResponse", [])
    if len(found) != 1:
        raise Malformed("the form has to hold one SAMLResponse", field="SAMLResponse")
    return found[0]
