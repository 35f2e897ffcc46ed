"""A real Pebble on free ports of loopback, ill-tempered on purpose: half of all nonces are refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

EAB_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(kw_only=True)
class PebbleSpec:
    """How a Pebble is to be; ``eab``: it wants an external account binding."""

    dns_port: int
    eab: bool = False
    nonce_reject: int = 50
    authz_reuse: int = 50
    always_valid: bool = False
    alternate_roots: int = 0


@dataclass(kw_only=True)
class Pebble:
    """A running Pebble. ``http_port`` and ``tls_port`` are where it looks for challenges."""

    port: int
    management_port: int
    http_port: int
    tls_port: int
    ca_bundle: str
    process: subprocess.Popen
    log: Path
    roots: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/dir"

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.ca_bundle)

    async def management(self, path: str) -> bytes:
        connector = aiohttp.TCPConnector(ssl=self.context())
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"https://127.0.0.1:{self.management_port}/{path}") as response,
        ):
            assert response.status == 200, response.status
            return await response.read()

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def server_certificate(folder: Path) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pebble")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    (folder / "cert.pem").write_text(pem)
    return pem


async def start_pebble(folder: Path, spec: PebbleSpec) -> Pebble:
    folder.mkdir(parents=True, exist_ok=True)
    bundle = server_certificate(folder)
    ports = [free_port() for _ in range(4)]
    config = {
        "listenAddress": f"127.0.0.1:{ports[0]}",
        "managementListenAddress": f"127.0.0.1:{ports[1]}",
        "certificate": str(folder / "cert.pem"),
        "privateKey": str(folder / "key.pem"),
        "httpPort": ports[2],
        "tlsPort": ports[3],
        "ocspResponderURL": "",
        "externalAccountBindingRequired": spec.eab,
        "externalAccountMACKeys": {"kid-1": EAB_KEY},
    }
    (folder / "config.json").write_text(json.dumps({"pebble": config}))
    environment = {
        "PATH": os.environ["PATH"],
        "PEBBLE_VA_NOSLEEP": "1",
        "PEBBLE_WFE_NONCEREJECT": str(spec.nonce_reject),
        "PEBBLE_AUTHZREUSE": str(spec.authz_reuse),
        "PEBBLE_ALTERNATE_ROOTS": str(spec.alternate_roots),
        **({"PEBBLE_VA_ALWAYS_VALID": "1"} if spec.always_valid else {}),
    }
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        ["pebble", "-strict", "-config", folder / "config.json", "-dnsserver", f"127.0.0.1:{spec.dns_port}"],
        stdout=log,
        stderr=log,
        env=environment,
    )
    log.close()
    found = Pebble(
        port=ports[0],
        management_port=ports[1],
        http_port=ports[2],
        tls_port=ports[3],
        ca_bundle=bundle,
        process=process,
        log=folder / "log",
    )
    deadline = asyncio.get_running_loop().time() + 20
    while True:
        assert process.poll() is None, found.log_text()
        assert asyncio.get_running_loop().time() < deadline, found.log_text()
        with contextlib.suppress(aiohttp.ClientError, OSError):
            root = await found.management("roots/0")
            break
        await asyncio.sleep(0.05)
    found.roots.append(x509.load_pem_x509_certificate(root).public_bytes(serialization.Encoding.DER))
    return found
