"""A hub over HTTP with certificates and private CAs; an offline root of the tests' own; bad requests."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from hub.access.policy import PolicyAuthorizer
from hub.db.tables import all_tables
from hub.http.shell import ShellOptions, build_application
from hub.issuers.hierarchies.routes import PrivateCaRoutes
from hub.issuers.hierarchies.service import PrivateCaService
from hub.issuers.hierarchies.trust import TrustRoutes
from hub.issuers.ocsp.routes import OcspRoutes
from hub.issuers.routes import IssuerRoutes, StatusRoutes
from hub.lifecycle.route_sets import certificate_routes
from tests.integration.issuers.conftest import Tokens
from tests.simulators.hub_world import KEK, Clock, World

PEM, DER = Encoding.PEM, Encoding.DER
# Learnt from every answer, good or bad: not something that a refused request leaves behind.
_LEARNT = {"ca_backend_health"}


class Bench:
    """The hub, as whoever gives it bad input sees it."""

    def __init__(self, world: World, client: aiohttp.ClientSession, token: Any = None) -> None:
        self.world, self.client, self.token = world, client, token

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        headers = {"Authorization": "Bearer mrao"}
        async with self.client.request(method, f"/api/v1{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def done(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        status, answer = await self.ask(method, path, body)
        assert status in {200, 201}, answer
        return answer

    async def contents(self) -> dict[str, list[str]]:
        """Return everything that is in the database, to compare."""
        async with self.world.db.read() as session:
            return {
                table.name: sorted(map(repr, (await session.execute(select(table))).all()))
                for table in all_tables().sorted_tables
                if table.name not in _LEARNT
            }

    def order(self, csr: bytes, **changes: Any) -> dict[str, Any]:
        return {
            "method": "csr",
            "organization_id": self.world.organization_id,
            "profile_id": self.world.profile_id,
            "term_days": 90,
            "common_name": "www.example.com",
            "csr": csr.decode(),
        } | changes

    async def offline_root(self) -> OfflineRoot:
        root = OfflineRoot(self.world.clock().replace(microsecond=0))
        body = {"name": "Offline", "certificate": root.pem, "crl": root.crl(10)}
        root.id = (await self.done("POST", "/private-cas/import-root", body))["id"]
        return root

    async def signing_request(self, name: str = "Servers") -> tuple[int, x509.CertificateSigningRequest]:
        body = {
            "name": name,
            "template": "ec-p256-issuing",
            "external": True,
            "subject": {"organization": "Example Ltd"},
        }
        made = await self.done("POST", "/private-cas", body)
        path = f"/api/v1/private-cas/requests/{made['id']}/csr"
        async with self.client.get(path, headers={"Authorization": "Bearer mrao"}) as answer:
            return made["id"], x509.load_pem_x509_csr(await answer.read())


@contextlib.asynccontextmanager
async def running(url, token=None, *, clock=None):
    """Yield a hub. With the ``clock`` of another it takes over that one's database."""
    world = World(url, clock=clock or Clock(), hsm=None if token is None else token.hsm)
    async with contextlib.AsyncExitStack() as stack:
        world.open()
        stack.push_async_callback(world.db.close)
        if clock is None:
            await world.create()
        stack.push_async_callback(world.lifecycle.close)
        application = build_application(
            [
                *certificate_routes(world.lifecycle),
                PrivateCaRoutes(PrivateCaService(world.db, KEK, world.issuers)),
                TrustRoutes(world.db, world.profiles),
                IssuerRoutes(world.db, world.issuers),
                StatusRoutes(world.db, world.issuers),
                OcspRoutes(world.issuers.ocsp),
            ],
            authenticator=Tokens(),
            authorizer=PolicyAuthorizer(),
            options=ShellOptions(over_tls=False),
        )
        runner = web.AppRunner(application, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        client = await stack.enter_async_context(aiohttp.ClientSession(f"http://{host}:{port}"))
        yield Bench(world, client, token)


class OfflineRoot:
    """A root whose key the hub never sees."""

    def __init__(self, now: Any, name: str = "Offline root") -> None:
        self.now, self.id = now, 0
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        self.certificate = self._signed(self.name, self.key.public_key(), days=4000)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(PEM).decode()

    def sign(self, csr: x509.CertificateSigningRequest, *, begin: int = 0, days: int = 3000) -> str:
        """Return a CA's certificate in PEM that begins so many days from now."""
        signed = self._signed(csr.subject, csr.public_key(), begin=begin, days=days)
        return signed.public_bytes(PEM).decode()

    def crl(self, number: int, *, begin: int = 0, days: int = 30) -> str:
        start = self.now + timedelta(days=begin)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(start)
            .next_update(start + timedelta(days=days))
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(PEM).decode()

    def _signed(self, subject: x509.Name, key: Any, *, begin: int = 0, days: int) -> x509.Certificate:
        start = self.now + timedelta(days=begin)
        usage = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
            .sign(self.key, hashes.SHA256())
        )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def signed_request(key: Any = None, hash_: Any = None) -> bytes:
    """A request in PEM for www.example.com."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name("www.example.com"))
    return builder.sign(key, hash_ or hashes.SHA256()).public_bytes(PEM)


def forged_request() -> bytes:
    """A request that its key did not sign: one key's signature over another's request."""
    mine = x509.load_pem_x509_csr(signed_request())
    changed = mine.public_bytes(DER).replace(b"www.example.com", b"www.examp1e.com")
    return x509.load_der_x509_csr(changed).public_bytes(PEM)


def small_rsa_request() -> bytes:
    return signed_request(rsa.generate_private_key(65537, 1024))


def sha1_request() -> bytes:
    """Signed over SHA-1, which ``cryptography`` refuses to do."""
    command = ["openssl", "req", "-new", "-sha1", "-newkey", "rsa:2048", "-noenc", "-keyout", "/dev/null"]
    command += ["-subj", "/CN=www.example.com"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def key_sha256(csr: bytes) -> str:
    from cryptography.hazmat.primitives.serialization import PublicFormat

    key = x509.load_pem_x509_csr(csr).public_key()
    return hashlib.sha256(key.public_bytes(DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
