"""HTTPS on the loopback for simulators: a certificate of its own, and any faults that a test asks for."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


def self_signed(name: str = "127.0.0.1") -> tuple[str, str]:
    """A certificate for the loopback, which is its own CA, and its key, both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Trust is looked up by name: no two of these may share one.
    common_name = f"{name} {secrets.token_hex(4)}"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )


@dataclass
class WebServer:
    """``faults`` are taken one a request before the application sees it; ``lost`` likewise, after it did."""

    application: web.Application
    folder: Path
    client_ca: str = ""
    faults: list[web.Response] = field(default_factory=list)
    lost: int = 0
    requests: list[str] = field(default_factory=list)
    url: str = ""
    certificate: str = ""

    async def start(self) -> None:
        self.certificate, key = self_signed()
        (self.folder / "server.pem").write_text(self.certificate + key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.folder / "server.pem")
        if self.client_ca:
            context.load_verify_locations(cadata=self.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
        self.application.middlewares.append(self._middleware)
        self._runner = web.AppRunner(self.application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.url = f"https://127.0.0.1:{self._runner.addresses[0][1]}"

    @web.middleware
    async def _middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        if self.faults:
            return self.faults.pop(0)
        answer = await handler(request)
        if self.lost and request.method == "POST":
            self.lost -= 1
            assert request.transport is not None
            request.transport.close()
        return answer

    async def stop(self) -> None:
        await self._runner.cleanup()
