"""Other CAs under the same load, in the same run: Pebble by whole ACME orders, step-ca by signed tokens.

Both servers are started here on loopback, and only the CPU time of their processes counts. Pebble keeps what
it issues in memory alone, and is told to find every challenge valid; step-ca writes to its badger database.
One that is not installed is left out of the table with a word about it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import socket
import ssl
import tempfile
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import ECKey

from benchmarks.issuance.hubs import cpu_s
from hub.issuers.acme.jws import AccountKey, compact_json
from pki.csrs import build_csr
from pki.encodings import csr_pem
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields

# Pebble stands still now and then when many orders come at once; then fewer clients try again.
CLIENTS = (16, 4, 2)
_WARMING = 64
_STALL_S = 5.0
_START_S = 30.0
_POLL_S = 0.01
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """What a peer did."""

    name: str
    certificates: int
    wall_s: float
    cpu_s: float

    @property
    def a_core(self) -> float:
        """Certificates a second of the server's CPU time."""
        return self.certificates / self.cpu_s


@dataclass(frozen=True, slots=True)
class _Request:
    name: str
    csr: bytes


@dataclass(frozen=True, slots=True)
class Load:
    """So many clients, certificates at most, and seconds."""

    clients: int
    count: int
    limit_s: float


Issue = Callable[[_Request], Awaitable[None]]
Running = Callable[[str, Path], AbstractAsyncContextManager[tuple[psutil.Process, Issue]]]


async def measure_peers(count: int, *, limit_s: float) -> tuple[list[Peer], list[str]]:
    """Return what each peer did, and which could not be had."""
    peers, missing = [], []
    for name, program, running in (
        ("step-ca (sign API, badger)", _found("step-ca"), _step_ca),
        ("Pebble (ACME order, in memory)", _found("pebble"), _pebble),
    ):
        if program is None:
            missing.append(f"{name} is not installed: tests/install-servers.sh")
            continue
        for clients in CLIENTS:
            try:
                peers.append(await _measure(name, running, program, Load(clients, count, limit_s)))
                break
            except* TimeoutError:
                missing.append(f"{name} stood still under {clients} clients")
    return peers, missing


async def _measure(name: str, running: Running, program: str, load: Load) -> Peer:
    with tempfile.TemporaryDirectory() as folder:
        async with running(program, Path(folder)) as (process, issue):
            await _load(issue, _requests(_WARMING), load)
            requests = _requests(load.count)
            before, started = cpu_s(process, children=False), time.perf_counter()
            done = await _load(issue, requests, load)
            wall = time.perf_counter() - started
            spent = cpu_s(process, children=False) - before
    return Peer(name=name, certificates=done, wall_s=wall, cpu_s=spent)


def _found(program: str) -> str | None:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    built = os.environ.get("CERTWRIGHT_TEST_SERVERS") or str(cache / "certwright-tests" / "bin")
    return shutil.which(program) or shutil.which(program, path=built)


def _requests(count: int) -> list[_Request]:
    key = generate_key(KeyType.EC_P256)
    made = []
    for _ in range(count):
        name = f"host-{uuid.uuid4().hex[:12]}.bench.example.com"
        made.append(_Request(name, build_csr(key, SubjectFields(common_name=name), [name])))
    return made


async def _load(issue: Issue, requests: Sequence[_Request], load: Load) -> int:
    waiting, end, done = iter(requests), time.perf_counter() + load.limit_s, 0

    async def client() -> None:
        nonlocal done
        for request in waiting:
            if time.perf_counter() > end:
                return
            async with asyncio.timeout(_STALL_S):
                await issue(request)
            done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(load.clients):
            group.create_task(client())
    return done


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def _server(
    arguments: Sequence[str], port: int, *, folder: Path, environment: dict[str, str] | None = None
) -> AsyncIterator[psutil.Process]:
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*arguments, stdout=log, stderr=log, env=environment)
    end = time.perf_counter() + _START_S
    try:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                if process.returncode is not None or time.perf_counter() > end:
                    raise RuntimeError((folder / "log").read_text()[-2000:]) from None
                await asyncio.sleep(0.05)
            else:
                writer.close()
                break
        yield psutil.Process(process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


# ---- certificates of the peers themselves


@dataclass(slots=True)
class _Ca:
    """A CA of a name, self-signed or under another."""

    name: str
    parent: _Ca | None = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        """Sign its certificate, which also does for a server on loopback."""
        issuer, now = self.parent or self, datetime.now(UTC)
        local = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(self.name))
            .issuer_name(_name(issuer.name))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(local), critical=False)
            .sign(issuer.key, hashes.SHA256())
        )

    def pem(self) -> str:
        """Return the certificate in PEM."""
        return self.certificate.public_bytes(_PEM).decode()

    def write(self, certificate: Path, key: Path) -> None:
        """Write certificate and key as a server reads them."""
        certificate.write_text(self.pem())
        key.write_bytes(
            self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@asynccontextmanager
async def _session(trusted: str) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cadata=trusted), limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


# ---- step-ca


@asynccontextmanager
async def _step_ca(program: str, folder: Path) -> AsyncIterator[tuple[psutil.Process, Issue]]:
    root = _Ca("Bench Root")
    root.write(folder / "root.crt", folder / "root.key")
    _Ca("Bench CA", root).write(folder / "ca.crt", folder / "ca.key")
    key, port = ECKey.generate_key("P-256", auto_kid=True), _free_port()
    provisioner = {"type": "JWK", "name": "bench", "key": {**key.as_dict(private=False), "alg": "ES256"}}
    config = {
        "root": str(folder / "root.crt"),
        "crt": str(folder / "ca.crt"),
        "key": str(folder / "ca.key"),
        "address": f"127.0.0.1:{port}",
        "dnsNames": ["127.0.0.1"],
        "db": {"type": "badgerv2", "dataSource": str(folder / "db")},
        "authority": {"provisioners": [provisioner]},
    }
    (folder / "ca.json").write_text(json.dumps(config))
    url = f"https://127.0.0.1:{port}/1.0/sign"
    async with (
        _server([program, str(folder / "ca.json")], port, folder=folder) as process,
        _session(root.pem()) as session,
    ):

        async def issue(request: _Request) -> None:
            now = int(time.time())
            claims = {
                "iss": "bench",
                "aud": url,
                "sub": request.name,
                "sans": [request.name],
                "jti": uuid.uuid4().hex,
                "nbf": now - 60,
                "exp": now + 300,
            }
            token = jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key, algorithms=["ES256"])
            body = {"csr": csr_pem(request.csr).decode(), "ott": token}
            async with session.post(url, json=body) as answer:
                if answer.status != 201 or "crt" not in await answer.json():
                    raise RuntimeError(await answer.text())

        yield process, issue


# ---- Pebble


@asynccontextmanager
async def _pebble(program: str, folder: Path) -> AsyncIterator[tuple[psutil.Process, Issue]]:
    server, port = _Ca("Bench Server"), _free_port()
    server.write(folder / "cert.pem", folder / "key.pem")
    config = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{_free_port()}",
        "certificate": str(folder / "cert.pem"),
        "privateKey": str(folder / "key.pem"),
        "httpPort": _free_port(),
        "tlsPort": _free_port(),
    }
    (folder / "config.json").write_text(json.dumps({"pebble": config}))
    environment = {
        "PATH": os.environ["PATH"],
        "PEBBLE_VA_NOSLEEP": "1",
        "PEBBLE_VA_ALWAYS_VALID": "1",
        "PEBBLE_WFE_NONCEREJECT": "0",
        "PEBBLE_AUTHZREUSE": "0",
    }
    arguments = [program, "-config", str(folder / "config.json")]
    async with (
        _server(arguments, port, folder=folder, environment=environment) as process,
        _session(server.pem()) as session,
    ):
        client = _AcmeClient(session)
        await client.begin(f"https://127.0.0.1:{port}/dir")
        yield process, client.issue


class _AcmeClient:
    """One account's orders, by RFC 8555: order, authorization, challenge, finalize, certificate."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._key = AccountKey.generate()
        self._nonces: deque[str] = deque(maxlen=_WARMING)
        self._directory: dict[str, str] = {}
        self._kid: str | None = None

    async def begin(self, url: str) -> None:
        """Read the directory and make an account."""
        async with self._session.get(url) as answer:
            self._directory = await answer.json()
        terms = {"termsOfServiceAgreed": True}
        self._kid, _ = await self._post(self._directory["newAccount"], terms)

    async def issue(self, request: _Request) -> None:
        """Carry one order through."""
        wanted = {"identifiers": [{"type": "dns", "value": request.name}]}
        address, order = await self._post(self._directory["newOrder"], wanted)
        for url in order["authorizations"]:
            authorization = (await self._post(url, None))[1]
            challenge = next(item for item in authorization["challenges"] if item["type"] == "http-01")
            await self._post(challenge["url"], {})
            await self._until(url, "valid")
        csr = base64.urlsafe_b64encode(request.csr).rstrip(b"=").decode()
        await self._post(order["finalize"], {"csr": csr})
        order = await self._until(address, "valid")
        if b"BEGIN CERTIFICATE" not in (await self._post(order["certificate"], None))[1]:
            raise RuntimeError("there is no certificate")

    async def _until(self, url: str, status: str) -> dict[str, Any]:
        while True:
            document: dict[str, Any] = (await self._post(url, None))[1]
            if document["status"] == status:
                return document
            if document["status"] == "invalid":
                raise RuntimeError(str(document))
            await asyncio.sleep(_POLL_S)

    async def _post(self, url: str, payload: dict[str, Any] | None) -> tuple[str, Any]:
        if not self._nonces:
            async with self._session.head(self._directory["newNonce"]) as answer:
                self._nonces.append(answer.headers["Replay-Nonce"])
        body = b"" if payload is None else compact_json(payload)
        signed = self._key.sign(body, url=url, nonce=self._nonces.pop(), kid=self._kid)
        headers = {"Content-Type": "application/jose+json"}
        async with self._session.post(url, data=compact_json(signed), headers=headers) as answer:
            self._nonces.append(answer.headers["Replay-Nonce"])
            if answer.status not in {200, 201}:
                raise RuntimeError(await answer.text())
            is_json = answer.content_type == "application/json"
            return answer.headers.get("Location", ""), await (answer.json() if is_json else answer.read())
