"""OCSP answers a second, and CRLs of a million entries: ``python -m benchmarks.ocsp``.

A real hub process answers from memory at its plain status address; nginx serves the same octets, exported as
files, in turns with it. One client asks both, over connections that stay open. Rates are for each second of
the server's CPU, because the wall rate also depends on the client and on how busy the machine is. nginx is
the limit. What it costs when nothing is in memory (a nonce, so that each answer is signed) is shown beside.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from sqlalchemy import select

from benchmarks.ocsp import lists
from benchmarks.ocsp.client import ask
from hub.db.uow import Database
from hub.issuers import ledger
from hub.issuers.models import CaAuthority
from pki.ocsp import IssuerHashes, encode_cert_id, path_of_request, plain_request

HUB = [sys.executable, "-m", "hub.cli.main", "hub"]
ANY_PORT = ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--enroll", "127.0.0.1:0", "--insecure-http"]
CERTIFICATES = 2_000
CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked for, over HTTP/1.1 and octet by octet."""

    slug: str
    gets: list[bytes]
    posts: list[bytes]
    nonces: list[bytes]


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
    return port


async def prepare(folder: Path) -> Case:
    """Set up a hub and note serial numbers as issued; return how to ask for them."""
    subprocess.run([*HUB, "init", "--data-dir", folder, "--json"], check=True, stdout=subprocess.DEVNULL)
    db = Database.open(f"sqlite:///{folder / 'hub.db'}")
    async with db.write() as uow:
        row = (
            await uow.session.execute(
                select(CaAuthority.id, CaAuthority.slug, CaAuthority.certificate).where(
                    CaAuthority.role == "issuing"
                )
            )
        ).one()
        serials = [x509.random_serial_number() for _ in range(CERTIFICATES)]
        end = uow.now + timedelta(days=90)
        await ledger.record(
            uow,
            [
                ledger.SerialRecord(authority_id=row.id, serial_hex=f"{serial:x}", not_after=end)
                for serial in serials
            ],
        )
    await db.close()
    issuer = IssuerHashes.of(row.certificate)
    plain = [plain_request(encode_cert_id(issuer, serial)) for serial in serials]
    nonces = []
    for number, serial in enumerate(serials):
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            *issuer.pairs["sha1"], serial, hashes.SHA1()
        )
        nonce = x509.OCSPNonce(number.to_bytes(32, "big"))
        nonces.append(builder.add_extension(nonce, critical=False).build().public_bytes(Encoding.DER))
    return Case(
        row.slug,
        [_get(row.slug, request) for request in plain],
        [_post(row.slug, request) for request in plain],
        [_post(row.slug, request) for request in nonces],
    )


def _get(slug: str, request: bytes) -> bytes:
    address = urllib.parse.quote(path_of_request(request), safe="")
    return f"GET /ocsp/{slug}/{address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def _post(slug: str, request: bytes) -> bytes:
    head = (
        f"POST /ocsp/{slug} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/ocsp-request\r\n"
        f"Content-Length: {len(request)}\r\n\r\n"
    )
    return head.encode() + request


@contextlib.asynccontextmanager
async def running_hub(folder: Path) -> AsyncIterator[tuple[int, psutil.Process]]:
    """Yield the port of a hub's status listener, and its process."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *HUB, "serve", "--data-dir", str(folder), *ANY_PORT, "--status-http", f"127.0.0.1:{port}",
        "--log-level", "warning", stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if not (await process.stdout.readline()).startswith(b"ready "):
            raise RuntimeError("the hub did not start")
        yield port, psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


@contextlib.asynccontextmanager
async def running_nginx(folder: Path, root: Path) -> AsyncIterator[tuple[int, psutil.Process]]:
    """Yield the port of an nginx over the exported files, and its process."""
    port = free_port()
    (folder / "nginx.conf").write_text(
        f"""
        daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
        events {{ worker_connections 256; }}
        http {{
          access_log off; keepalive_requests 100000000; sendfile on;
          open_file_cache max=10000 inactive=1h; open_file_cache_valid 1h;
          client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
          uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
          server {{
            listen 127.0.0.1:{port}; root {root};
            location /ocsp/ {{ default_type application/ocsp-response; index index.ocsp; }}
          }}
        }}
        """
    )
    process = await asyncio.create_subprocess_exec("nginx", "-c", str(folder / "nginx.conf"))
    try:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()


async def rate(
    port: int, server: psutil.Process, requests: list[bytes], seconds: float
) -> tuple[float, float]:
    """Return answers a second of the server's CPU, and of the wall clock."""
    before, started = _cpu(server), time.perf_counter()
    answered = await ask(port, requests, connections=CONNECTIONS, seconds=seconds)
    return answered / (_cpu(server) - before), answered / (time.perf_counter() - started)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def answers(seconds: float, rounds: int) -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory(prefix="certwright-bench-") as name:
        folder = Path(name)
        case = await prepare(folder / "hub")
        async with contextlib.AsyncExitStack() as stack:
            hub = await stack.enter_async_context(running_hub(folder / "hub"))
            where = ["--data-dir", f"{folder}/hub", "--to", f"{folder}/files"]
            export = [*HUB, "export-status", *where]
            subprocess.run(export, check=True, stdout=subprocess.DEVNULL)
            nginx = None
            if shutil.which("nginx"):
                (folder / "nginx").mkdir()
                nginx = await stack.enter_async_context(running_nginx(folder / "nginx", folder / "files"))
            # Everything is signed and in memory once each was asked for.
            for requests in (case.gets, case.posts):
                await ask(hub[0], requests, connections=1, seconds=0.0, at_least=len(requests))
            memory = hub[1].memory_info().rss / 1e6
            found: dict[str, list[tuple[float, float]]] = {}
            for _ in range(rounds):
                runs: list[tuple[str, tuple[int, psutil.Process] | None, list[bytes]]] = [
                    ("hub GET, from memory", hub, case.gets),
                    ("nginx GET, from files", nginx, case.gets),
                    ("hub POST, from memory", hub, case.posts),
                    ("hub POST, signed each", hub, case.nonces),
                ]
                for title, server, requests in runs:
                    if server is not None:
                        found.setdefault(title, []).append(await rate(*server, requests, seconds))
    print(f"\nOCSP, {CERTIFICATES:,} certificates, {CONNECTIONS} connections; hub process {memory:.0f} MB")
    print(f"{'':<24} {'a second of CPU':>16} {'a second':>10}")
    for title, measured in found.items():
        cpu, wall = (statistics.median(column) for column in zip(*measured, strict=True))
        print(f"{title:<24} {cpu:>16,.0f} {wall:>10,.0f}")
    if nginx is not None:
        hub_cpu, nginx_cpu = (
            statistics.median(cpu for cpu, _ in found[title])
            for title in ("hub GET, from memory", "nginx GET, from files")
        )
        print(f"from memory: {hub_cpu / nginx_cpu:.0%} of nginx for each second of CPU")


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ocsp", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each kind, in turns")
    parser.add_argument("--entries", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    arguments = parser.parse_args()
    asyncio.run(answers(arguments.seconds, arguments.rounds))
    if arguments.entries:
        # The library's builder holds all entries as objects: a million would take gigabytes.
        lists.run(arguments.entries, builder_up_to=100_000)
    return 0


if __name__ == "__main__":
    sys.exit(main())
