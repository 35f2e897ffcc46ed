"""A strict simulator of Vault's PKI secrets engine and AppRole sign-in, after the API's documentation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.simulators.signing_ca import SigningCa

_SIGN = {"csr", "common_name", "alt_names", "ip_sans", "exclude_cn_from_sans", "not_after", "format"}


def errors(status: int, *words: str) -> web.Response:
    return web.json_response({"errors": list(words)}, status=status)


@dataclass
class Vault:
    """``max_days`` and ``domain`` are the role's rules."""

    signing: SigningCa = field(default_factory=SigningCa)
    role_id: str = "role-1"
    secret_id: str = "secret-1"
    root_token: str = "hvs.root"
    lease_s: int = 600
    max_days: int = 100
    domain: str = "example.com"
    sealed: bool = False
    namespace: str = ""
    tokens: set[str] = field(default_factory=set)
    logins: int = 0

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.post("/v1/auth/approle/login", self._login),
                web.get("/v1/pki/roles/servers", self._role),
                web.post("/v1/pki/sign/servers", self._sign),
                web.post("/v1/pki/revoke", self._revoke),
                web.route("*", "/v1/{rest:.*}", self._nothing),
            ]
        )
        return application

    def _barred(self, request: web.Request) -> web.Response | None:
        if self.sealed:
            return errors(503, "Vault is sealed")
        token = request.headers.get("X-Vault-Token")
        known = token in self.tokens or token == self.root_token
        if not known or request.headers.get("X-Vault-Namespace", "") != self.namespace:
            return errors(403, "permission denied")
        return None

    async def _nothing(self, request: web.Request) -> web.Response:
        return self._barred(request) or errors(404, "no handler for route")

    async def _login(self, request: web.Request) -> web.Response:
        if self.sealed:
            return errors(503, "Vault is sealed")
        self.logins += 1
        if await request.json() != {"role_id": self.role_id, "secret_id": self.secret_id}:
            return errors(400, "invalid role or secret ID")
        token = f"hvs.{secrets.token_hex(8)}"
        self.tokens.add(token)
        auth = {"client_token": token, "lease_duration": self.lease_s, "renewable": True}
        return web.json_response({"auth": auth})

    async def _role(self, request: web.Request) -> web.Response:
        return self._barred(request) or web.json_response({"data": {"max_ttl": self.max_days * 86_400}})

    async def _sign(self, request: web.Request) -> web.Response:
        barred = self._barred(request)
        if barred is not None:
            return barred
        body: dict[str, Any] = await request.json()
        if set(body) - _SIGN or body.get("format") != "pem":
            return errors(400, f"unknown parameters {sorted(set(body) - _SIGN)}")
        names = [name for name in body["alt_names"].split(",") if name]
        for name in (body["common_name"], *names):
            if name and not name.endswith(self.domain):
                return errors(400, f"common name {name} not allowed by this role")
        end = datetime.strptime(body["not_after"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        days = (end - datetime.now(UTC)).days + 1
        if days > self.max_days:
            return errors(400, "cannot satisfy request, as TTL is beyond the role's maximum")
        csr = x509.load_pem_x509_csr(body["csr"].encode())
        certificate = self.signing.issue(csr, days=days, names=names)
        pem = [item.public_bytes(Encoding.PEM).decode() for item in (certificate, *self.signing.chain)]
        text = f"{certificate.serial_number:x}"
        text = text.zfill(len(text) + len(text) % 2)
        serial = ":".join(text[start : start + 2] for start in range(0, len(text), 2))
        data = {
            "certificate": pem[0],
            "issuing_ca": pem[1],
            "ca_chain": pem[1:],
            "serial_number": serial,
            "expiration": int(end.timestamp()),
        }
        return web.json_response({"data": data})

    async def _revoke(self, request: web.Request) -> web.Response:
        barred = self._barred(request)
        if barred is not None:
            return barred
        body = await request.json()
        if set(body) != {"serial_number"} or ":" not in body["serial_number"]:
            return errors(400, "serial_number in colon-separated hexadecimal is required")
        serial = int(body["serial_number"].replace(":", ""), 16)
        if serial not in self.signing.issued:
            return errors(400, f"certificate with serial {body['serial_number']} not found")
        self.signing.revoked.setdefault(serial, "revoked")
        return web.json_response({"data": {"revocation_time": 1, "state": "revoked"}})
