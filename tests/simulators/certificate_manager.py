"""A strict simulator of a public CA's certificate manager: version 1 of its REST calls for SSL certificates.

After the vendor's published API documentation ("SSL certificates") and the API references that customers
republish. What the documentation does not name is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.simulators.signing_ca import SigningCa

_FIELDS = {
    "orgId": int,
    "csr": str,
    "subjAltNames": str,
    "certType": int,
    "numberServers": int,
    "serverType": int,
    "term": int,
    "comments": str,
    "externalRequester": str,
}
_OPTIONAL = {"customFields": list}
_REVOKE = {"reason": str, "reasonCode": int}
_CODES = {0, 1, 3, 4, 5}
_LIST_FILTERS = {"commonName", "position", "size", "status", "serialNumber", "subjectAlternativeName"}


def error(code: int, description: str, status: int = 400) -> web.Response:
    return web.json_response({"code": code, "description": description}, status=status)


@dataclass
class Order:
    number: int
    body: dict[str, Any]
    csr: x509.CertificateSigningRequest
    status: str
    certificate: x509.Certificate | None = None
    processing: int = 0

    @property
    def common_name(self) -> str:
        return str(self.csr.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


@dataclass
class CertificateManager:
    """``first_status``: of a new order. ``processing``: how often collecting is answered with "not yet"."""

    signing: SigningCa = field(default_factory=SigningCa)
    login: str = "api"
    password: str = "correct horse"
    customer: str = "example"
    first_status: str = "Issued"
    processing: int = 0
    refused_names: set[str] = field(default_factory=set)
    other_names: list[str] | None = None
    orders: dict[int, Order] = field(default_factory=dict)

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self._signed_in])
        for prefix in ("/api/ssl/v1", "/private/api/ssl/v1"):
            application.add_routes(
                [
                    web.get(prefix, self._list),
                    web.get(f"{prefix}/types", self._types),
                    web.post(f"{prefix}/enroll", self._enroll),
                    web.get(f"{prefix}/{{number:[0-9]+}}", self._details),
                    web.get(f"{prefix}/collect/{{number:[0-9]+}}/{{format}}", self._collect),
                    web.post(f"{prefix}/revoke/serial/{{serial}}", self._revoke),
                ]
            )
        return application

    @web.middleware
    async def _signed_in(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        given = request.headers
        known = given.get("customerUri") == self.customer and given.get("login") == self.login
        if request.path.startswith("/private/"):
            transport = request.transport
            known = known and transport is not None and bool(transport.get_extra_info("peercert"))
            known = known and "password" not in given
        else:
            known = known and given.get("password") == self.password
        return await handler(request) if known else error(-16, "Unknown user", 401)

    async def _types(self, request: web.Request) -> web.Response:
        if request.query.get("organizationId") != "7":
            return error(-20, "Access denied", 403)
        return web.json_response(
            [
                {"id": 27, "name": "OV SSL", "terms": [90, 199], "keyTypes": {"EC": ["P-256"]}},
                {"id": 28, "name": "Wildcard", "terms": [199], "keyTypes": {"RSA": ["2048"]}},
            ]
        )

    async def _list(self, request: web.Request) -> web.Response:
        unknown = set(request.query) - _LIST_FILTERS
        if unknown or not 0 < int(request.query.get("size", "1")) <= 200:
            return error(-1, f"Invalid filter {unknown}")
        start, size = int(request.query.get("position", "0")), int(request.query.get("size", "200"))
        found = [
            {"sslId": order.number, "commonName": order.common_name}
            for order in sorted(self.orders.values(), key=lambda item: -item.number)
            if order.common_name == request.query.get("commonName", order.common_name)
        ]
        return web.json_response(found[start : start + size], headers={"X-Total-Count": str(len(found))})

    async def _enroll(self, request: web.Request) -> web.Response:
        body = await request.json()
        types = _FIELDS | _OPTIONAL
        wrong = [name for name in _FIELDS if name not in body]
        wrong += [name for name, value in body.items() if not isinstance(value, types.get(name, ()))]
        if wrong:
            return error(-10, f"Invalid parameters: {wrong}")
        if body["orgId"] != 7 or body["certType"] != 27 or body["term"] not in {90, 199}:
            return error(-11, "The certificate profile does not offer that")
        if len(body["comments"]) > 1024:
            return error(-10, "comments too long")
        try:
            csr = x509.load_pem_x509_csr(body["csr"].encode())
        except ValueError:
            return error(-12, "The CSR cannot be decoded!")
        names = [name for name in body["subjAltNames"].split(",") if name]
        blocked = self.refused_names & set(names)
        if blocked:
            return error(-51, f"Domain {min(blocked)} is not validated for the organization")
        number = 5000 + len(self.orders) + 1
        order = Order(number, body, csr, self.first_status, processing=self.processing)
        self.orders[number] = order
        if self.first_status == "Issued":
            self.issue(order, names)
        return web.json_response({"renewId": f"renew-{number}", "sslId": number})

    def issue(self, order: Order, names: list[str] | None = None) -> None:
        names = self.other_names or names or order.body["subjAltNames"].split(",")
        order.certificate = self.signing.issue(order.csr, days=order.body["term"], names=names)
        order.status = "Issued"

    async def _details(self, request: web.Request) -> web.Response:
        order = self.orders.get(int(request.match_info["number"]))
        if order is None:
            return error(-8, "Certificate not found", 404)
        certificate = order.certificate
        serial = f"{certificate.serial_number:X}" if certificate else ""
        return web.json_response(
            {
                "sslId": order.number,
                "id": order.number,
                "orgId": order.body["orgId"],
                "commonName": order.common_name,
                "status": order.status,
                "certType": {"id": 27, "name": "OV SSL", "terms": [90, 199]},
                "term": order.body["term"],
                "comments": order.body["comments"],
                "serialNumber": serial,
            }
        )

    async def _collect(self, request: web.Request) -> web.Response:
        order = self.orders.get(int(request.match_info["number"]))
        if request.match_info["format"] not in {"x509", "x509CO", "x509IO", "x509IOR", "base64", "bin"}:
            return error(-9, "Unknown format type")
        if order is None:
            return error(-8, "Certificate not found", 404)
        if order.certificate is None or order.processing:
            order.processing = max(0, order.processing - 1)
            return error(0, "Being processed by the CA")
        # Root first, as the CA does it.
        chain = [*reversed(self.signing.chain), order.certificate]
        pem = b"".join(item.public_bytes(serialization.Encoding.PEM) for item in chain)
        return web.Response(body=pem, content_type="application/octet-stream")

    async def _revoke(self, request: web.Request) -> web.Response:
        body = await request.json()
        wrong = [name for name, value in body.items() if not isinstance(value, _REVOKE.get(name, ()))]
        if wrong or not 0 < len(body.get("reason", "")) <= 512 or body.get("reasonCode", 0) not in _CODES:
            return error(-10, "Invalid revocation request")
        serial = int(request.match_info["serial"], 16)
        if serial not in self.signing.issued:
            return error(-8, "Certificate not found", 404)
        if serial in self.signing.revoked:
            return error(-23, "The certificate has already been revoked")
        self.signing.revoked[serial] = body["reason"]
        return web.Response(status=204)
