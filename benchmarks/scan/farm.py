"""A private nginx on many loopback addresses: the servers that both scanners are set upon."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
START_S = 10.0
_EC = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
_RSA = ["rsa:2048"]


@dataclass(frozen=True, slots=True)
class Grid:
    """Loopback addresses 127.1.0.1 to 127.1.(blocks - 1).250, 250 a block."""

    blocks: int

    @property
    def count(self) -> int:
        """How many there are."""
        return self.blocks * 250

    @property
    def ranges(self) -> list[str]:
        """The addresses as our scan ranges."""
        return [f"127.1.{block}.1-250" for block in range(self.blocks)]

    @property
    def nmap(self) -> str:
        """The same addresses in nmap's way of writing."""
        return f"127.1.0-{self.blocks - 1}.1-250"

    def addresses(self) -> list[str]:
        """Each of them."""
        return [f"127.1.{block}.{last}" for block in range(self.blocks) for last in range(1, 251)]


@dataclass(frozen=True, slots=True)
class Farm:
    """Where the servers are: the same addresses for all, a port a kind, and one port that is closed."""

    grid: Grid
    ports: dict[str, int]
    process: psutil.Process

    def server_cpu_s(self) -> float:
        """Processor seconds that nginx has used so far."""
        family = [self.process, *self.process.children()]
        return sum(sum(member.cpu_times()[:2]) for member in family)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _make_certificate(folder: Path, name: str, algorithm: list[str]) -> None:
    subject = ["-subj", f"/CN={name}.bench", "-addext", f"subjectAltName=DNS:{name}.bench"]
    files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
    command = ["openssl", "req", "-x509", "-nodes", "-days", "30", "-newkey", *algorithm, *subject, *files]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def _config(folder: Path, addresses: list[str], ports: dict[str, int]) -> str:
    kinds = (
        ("ec", "ec", "TLSv1.2 TLSv1.3"),
        ("rsa", "rsa", "TLSv1.2 TLSv1.3"),
        ("tls13", "ec", "TLSv1.3"),
    )
    blocks = []
    for kind, certificate, protocols in kinds:
        listens = "".join(f"listen {address}:{ports[kind]} ssl;" for address in addresses)
        blocks.append(
            f"server {{ {listens} ssl_protocols {protocols};"
            f" ssl_certificate {folder}/{certificate}.pem; ssl_certificate_key {folder}/{certificate}.key; }}"
        )
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;\n"
        f"events {{ worker_connections 16384; }}\n"
        f"http {{ access_log off; {temporary}\n" + "\n".join(blocks) + "\n}\n"
    )


@contextmanager
def farm(folder: Path, grid: Grid) -> Iterator[Farm]:
    """Nginx on all addresses of the grid, with an EC, an RSA and a TLS 1.3-only port each."""
    for name, algorithm in (("ec", _EC), ("rsa", _RSA)):
        _make_certificate(folder, name, algorithm)
    ports = {kind: _free_port() for kind in ("ec", "rsa", "tls13", "closed")}
    addresses = grid.addresses()
    config = folder / "nginx.conf"
    config.write_text(_config(folder, addresses, ports))
    command = [NGINX, "-c", str(config), "-p", str(folder), "-e", str(folder / "error.log")]
    with subprocess.Popen(command) as process:
        try:
            _await(addresses[-1], ports["tls13"], process)
            yield Farm(grid, ports, psutil.Process(process.pid))
        finally:
            process.terminate()


def _await(address: str, port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection((address, port), timeout=1):
            return
    raise SystemExit("nginx does not start; see the messages above")
