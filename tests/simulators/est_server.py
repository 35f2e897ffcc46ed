"""A strict EST server (RFC 7030, RFC 8951): cacerts, csrattrs, simpleenroll and simplereenroll."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from tests.simulators.signing_ca import SigningCa

_DER = serialization.Encoding.DER


@dataclass
class EstServer:
    """``kept``: how often a request is answered with 202 before it is granted. ``label``: of the CA."""

    signing: SigningCa = field(default_factory=SigningCa)
    username: str = "hub"
    password: str = "correct horse"
    label: str = ""
    attributes: bytes | None = None
    kept: int = 0
    refusal: str = ""
    refusal_status: int = 400
    names: list[str] | None = None
    attempts: dict[bytes, int] = field(default_factory=dict)
    reenrolled: int = 0

    def application(self) -> web.Application:
        base = "/.well-known/est" + (f"/{self.label}" if self.label else "")
        application = web.Application()
        application.add_routes(
            [
                web.get(f"{base}/cacerts", self._ca_certificates),
                web.get(f"{base}/csrattrs", self._attributes),
                web.post(f"{base}/simpleenroll", self._enroll),
                web.post(f"{base}/simplereenroll", self._reenroll),
            ]
        )
        return application

    def _known(self, request: web.Request) -> bool:
        assert request.transport is not None
        if request.transport.get_extra_info("peercert"):
            return True
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {pair}"

    async def _ca_certificates(self, _request: web.Request) -> web.Response:
        return self._pkcs7([self.signing.root, self.signing.certificate])

    async def _attributes(self, _request: web.Request) -> web.Response:
        if self.attributes is None:
            return web.Response(status=204)
        return web.Response(body=base64.encodebytes(self.attributes), content_type="application/csrattrs")

    async def _enroll(self, request: web.Request) -> web.Response:
        if not self._known(request):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="est"'})
        if request.content_type != "application/pkcs10":
            return web.Response(status=415, text="not a PKCS #10 request")
        body = await request.read()
        try:
            request_der = base64.b64decode(b"".join(body.split()), validate=True)
            csr = x509.load_der_x509_csr(request_der)
        except ValueError:
            return web.Response(status=400, text="the request is not Base64 of PKCS #10")
        if self.refusal:
            return web.Response(status=self.refusal_status, text=self.refusal)
        self.attempts[request_der] = self.attempts.get(request_der, 0) + 1
        if self.attempts[request_der] <= self.kept:
            return web.Response(status=202, headers={"Retry-After": "90"}, text="waiting for approval")
        return self._pkcs7([self.signing.issue(csr, names=self.names)], certs_only=True)

    async def _reenroll(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        # RFC 7030, 3.3.2: who renews shows a certificate.
        if not request.transport.get_extra_info("peercert"):
            return web.Response(status=403, text="re-enrolment needs a client certificate")
        self.reenrolled += 1
        return await self._enroll(request)

    def _pkcs7(self, certificates: list[x509.Certificate], *, certs_only: bool = False) -> web.Response:
        body = base64.encodebytes(pkcs7.serialize_certificates(certificates, _DER))
        kind = "application/pkcs7-mime" + ("; smime-type=certs-only" if certs_only else "")
        headers = {"Content-Type": kind, "Content-Transfer-Encoding": "base64"}
        return web.Response(body=body, headers=headers)
