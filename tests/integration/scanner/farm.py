"""Real TLS servers and hostile ones, all on loopback and on ports of their own."""

from __future__ import annotations

import hashlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agents.network.scanner.engine import Engine
from agents.network.scanner.options import ScanOptions
from agents.network.scanner.targets import ScanSpec, TargetPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agents.network.scanner.observation import Observation

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
DEADLINE_S = 10.0


@dataclass(frozen=True)
class Chain:
    """A leaf under a CA of its own, as files and fingerprints."""

    certificate: Path
    issuer: Path
    key: Path
    sha256: tuple[str, str]

    @property
    def full(self) -> Path:
        return self.certificate.with_suffix(".chain")


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_chain(folder: Path, name: str, algorithm: list[str]) -> Chain:
    key = ["-newkey", *algorithm, "-nodes", "-days", "30"]
    root = ["-subj", f"/CN={name} CA", "-keyout", f"{name}-ca.key", "-out", f"{name}-ca.pem"]
    openssl(folder, "req", "-x509", *key, *root)
    leaf = ["-subj", f"/CN={name}.test", "-CA", f"{name}-ca.pem", "-CAkey", f"{name}-ca.key"]
    openssl(folder, "req", "-x509", *key, *leaf, "-keyout", f"{name}.key", "-out", f"{name}.pem")
    certificate, issuer = folder / f"{name}.pem", folder / f"{name}-ca.pem"
    ders = [ssl.PEM_cert_to_DER_cert(path.read_text().strip()) for path in (certificate, issuer)]
    first, second = (hashlib.sha256(der).hexdigest() for der in ders)
    chain = Chain(certificate, issuer, folder / f"{name}.key", (first, second))
    chain.full.write_text(certificate.read_text() + issuer.read_text())
    return chain


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


def await_port(port: int, process: subprocess.Popen[bytes] | None = None) -> None:
    """Until somebody listens; fails if the process that should has ended."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process is None or process.poll() is None, "the server ended before it listened"
        assert time.monotonic() < deadline, "the server doesn't listen"


@contextmanager
def openssl_server(chain: Chain, *options: str) -> Iterator[int]:
    """`openssl s_server` with a chain; gives its port."""
    port = free_port()
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet"]
    command += ["-cert", str(chain.certificate), "-key", str(chain.key), "-cert_chain", str(chain.issuer)]
    with subprocess.Popen(
        [*command, *options], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            await_port(port, process)
            yield port
        finally:
            process.kill()


@contextmanager
def nginx_server(folder: Path, servers: str, port: int) -> Iterator[None]:
    """A private nginx with the given server blocks, awaited on one port."""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{ access_log off; {temporary}\n{servers}\n}}\n"
    )
    command = [NGINX, "-c", str(config), "-p", str(folder), "-e", str(folder / "error.log")]
    with subprocess.Popen(command) as process:
        try:
            await_port(port, process)
            yield
        finally:
            process.terminate()


@contextmanager
def hostile_server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does with each connection what it is told; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    open_sockets: list[socket.socket] = []

    def handle(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            behave(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_sockets.append(connection)
                thread = threading.Thread(target=handle, args=(connection,))
                threads.append(thread)
                thread.start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(DEADLINE_S)
        for connection in open_sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(DEADLINE_S)


FAST = ScanOptions(rate=100_000, connect_timeout_s=0.5, hello_timeout_s=0.5, lookup_timeout_s=2.0)


def scan_all(
    targets: list[str], ports: str, options: ScanOptions = FAST, **kwargs: object
) -> list[Observation]:
    """Everything an engine sees, in the order of its end."""
    engine = Engine(TargetPlan(ScanSpec.parse(targets, ports)), options, **kwargs)
    return list(engine.run())


def scan_one(target: str, port: int, options: ScanOptions = FAST, **kwargs: object) -> Observation:
    (seen,) = scan_all([target], str(port), options, **kwargs)
    return seen


def sha256(seen: Observation) -> tuple[str, ...]:
    return tuple(hashlib.sha256(der).hexdigest() for der in seen.chain)
