"""A simulator of what the Pebble of Debian does not have: renewal information, ``replaces``, rate limits.

It is strict about what clients must do (RFC 8555, 6): every request is a flattened JWS with a nonce that was
given out and not used, for the address it came to, in the media type; signatures are verified with joserfc.
Names count as proven, so that orders are ready at once. Written after RFC 8555 and RFC 9773 alone.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jws
from joserfc.jwk import ECKey

from tests.simulators.signing_ca import SigningCa

ERROR = "urn:ietf:params:acme:error:"
_REGISTRY = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)


def unpadded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


class Refusal(Exception):
    """A problem document."""

    def __init__(self, kind: str, detail: str, *, status: int = 400, **headers: str) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.status, self.headers = kind, detail, status, headers


@dataclass
class AcmeServer:
    """The server's state, which tests look at and set; ``faults`` are raised by the next new orders."""

    ca: SigningCa = field(default_factory=SigningCa)
    nonces: set[str] = field(default_factory=set)
    accounts: dict[str, dict] = field(default_factory=dict)
    orders: list[dict] = field(default_factory=list)
    certificates: dict[str, bytes] = field(default_factory=dict)
    windows: dict[str, tuple[str, str]] = field(default_factory=dict)
    retry_after: str = "21600"
    asked: list[str] = field(default_factory=list)
    faults: list[Refusal] = field(default_factory=list)
    has_renewal_info: bool = True

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._problems])
        app.router.add_get("/dir", self._directory)
        app.router.add_route("HEAD", "/nonce", self._nonce)
        app.router.add_get("/renewal-info/{id}", self._renewal_info)
        for path, handler in {
            "/account": self._new_account,
            "/order": self._new_order,
            "/order/{number}": self._order,
            "/order/{number}/finalize": self._finalize,
            "/certificate/{number}": self._certificate,
            "/orders": self._orders,
            "/account/{number}": self._account,
        }.items():
            app.router.add_post(path, handler)
        return app

    # ---- what every answer and request has

    def _fresh(self) -> str:
        nonce = secrets.token_urlsafe(16)
        self.nonces.add(nonce)
        return nonce

    @web.middleware
    async def _problems(self, request, handler):
        try:
            answer = await handler(request)
        except Refusal as refusal:
            answer = web.json_response(
                {"type": ERROR + refusal.kind, "detail": refusal.detail},
                status=refusal.status,
                content_type="application/problem+json",
                headers={name.replace("_", "-"): value for name, value in refusal.headers.items()},
            )
        if request.method in {"POST", "HEAD"}:
            answer.headers["Replay-Nonce"] = self._fresh()
        return answer

    async def _opened(self, request):
        """Verify a request; returns its header and payload (None: POST-as-GET)."""
        if request.content_type != "application/jose+json":
            raise Refusal("malformed", "wrong media type", status=415)
        if not request.headers.get("User-Agent", "").startswith("certwright"):
            raise Refusal("malformed", "a User-Agent is wanted (RFC 8555, 6.1)")
        body = json.loads(await request.read())
        if set(body) != {"protected", "payload", "signature"}:
            raise Refusal("malformed", "not a flattened JWS")
        header = json.loads(unpadded(body["protected"]))
        if header.get("nonce") not in self.nonces:
            raise Refusal("badNonce", "this nonce is not known")
        self.nonces.remove(header["nonce"])
        if header["url"] != str(request.url):
            raise Refusal("unauthorized", "signed for another address", status=401)
        if ("kid" in header) == ("jwk" in header):
            raise Refusal("malformed", "either kid or jwk")
        if "kid" in header and header["kid"] not in self.accounts:
            raise Refusal("accountDoesNotExist", "no such account")
        jwk = header.get("jwk") or self.accounts[header["kid"]]["jwk"]
        found = jws.deserialize_json(body, ECKey.import_key(jwk), registry=_REGISTRY)
        return header, json.loads(found.payload) if found.payload else None

    def _url(self, request, path: str) -> str:
        return f"{request.url.origin()}{path}"

    # ---- resources

    async def _directory(self, request):
        names = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order", "revokeCert": "revoke"}
        found = {name: self._url(request, f"/{path}") for name, path in names.items()}
        if self.has_renewal_info:
            found["renewalInfo"] = self._url(request, "/renewal-info")
        return web.json_response(found)

    async def _nonce(self, _request):
        return web.Response()

    async def _renewal_info(self, request):
        self.asked.append(request.match_info["id"])
        window = self.windows.get(request.match_info["id"])
        if window is None:
            raise Refusal("malformed", "no such certificate", status=404)
        value = {"suggestedWindow": {"start": window[0], "end": window[1]}}
        return web.json_response(value, headers={"Retry-After": self.retry_after})

    async def _new_account(self, request):
        header, _ = await self._opened(request)
        url = self._url(request, f"/account/{len(self.accounts) + 1}")
        known = [kid for kid, account in self.accounts.items() if account["jwk"] == header["jwk"]]
        url = known[0] if known else url
        self.accounts.setdefault(url, {"jwk": header["jwk"]})
        return web.json_response({"status": "valid"}, status=200 if known else 201, headers={"Location": url})

    async def _account(self, request):
        await self._opened(request)
        return web.json_response({"status": "valid", "orders": self._url(request, "/orders")})

    async def _orders(self, request):
        await self._opened(request)
        urls = [self._url(request, f"/order/{number}") for number in range(len(self.orders))]
        return web.json_response({"orders": urls})

    async def _new_order(self, request):
        _, payload = await self._opened(request)
        if self.faults:
            raise self.faults.pop(0)
        number = len(self.orders)
        self.orders.append(payload | {"status": "ready"})
        url = self._url(request, f"/order/{number}")
        return web.json_response(self._shown(request, number), status=201, headers={"Location": url})

    def _shown(self, request, number: int) -> dict:
        order = self.orders[number]
        found = {
            "status": order["status"],
            "identifiers": order["identifiers"],
            "authorizations": [],
            "finalize": self._url(request, f"/order/{number}/finalize"),
        }
        if order["status"] == "valid":
            found["certificate"] = self._url(request, f"/certificate/{number}")
        return found

    async def _order(self, request):
        await self._opened(request)
        if self.orders[int(request.match_info["number"])]["status"] == "gone":
            raise Refusal("malformed", "no such order", status=404)
        return web.json_response(self._shown(request, int(request.match_info["number"])))

    async def _finalize(self, request):
        _, payload = await self._opened(request)
        number = int(request.match_info["number"])
        if self.orders[number]["status"] != "ready":
            raise Refusal("orderNotReady", "not ready", status=403)
        csr = x509.load_der_x509_csr(unpadded(payload["csr"]))
        self.certificates[str(number)] = self._signed(csr)
        self.orders[number]["status"] = "valid"
        return web.json_response(self._shown(request, number))

    def _signed(self, csr) -> bytes:
        now = datetime.now(UTC)
        names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        leaf = (
            x509.CertificateBuilder()
            .subject_name(csr.subject)
            .issuer_name(self.ca.certificate.subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=90))
            .add_extension(names, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca.key.public_key()), critical=False
            )
            .sign(self.ca.key, hashes.SHA256())
        )
        return b"".join(item.public_bytes(Encoding.PEM) for item in (leaf, self.ca.certificate))

    async def _certificate(self, request):
        await self._opened(request)
        if request.headers.get("Accept") != "application/pem-certificate-chain":
            raise Refusal("malformed", "not acceptable", status=406)
        return web.Response(body=self.certificates[request.match_info["number"]])
