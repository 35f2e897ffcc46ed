"""A real server with three virtual hosts, and everything needed to install certificates on it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.network.installers.apache import ApacheInstaller
from agents.network.installers.contract import InstallRequest
from agents.network.installers.material import Material
from agents.network.installers.nginx import NginxInstaller
from agents.network.installers.rollout import Limits, Rollout
from agents.network.servers.definitions import load_definitions
from agents.network.verify import served_certificate
from tests.real_servers.apache import PrivateApache
from tests.real_servers.certificates import Authority, Leaf
from tests.real_servers.nginx import PrivateNginx
from tests.real_servers.site import Site

SERVERS = {"apache": PrivateApache, "nginx": PrivateNginx}
LIMITS = Limits(lock_s=5, verify_s=5, roll_back_s=15, recover_s=1)


@dataclass
class Bench:
    """The server under test: `a.test` and `b.test` share a port by SNI, `c.test` has one of its own."""

    server: PrivateApache | PrivateNginx
    authority: Authority
    state_dir: Path
    old: Leaf
    command_timeout_s: float = 10

    @property
    def definition(self):
        return load_definitions(self.state_dir)[0]

    @property
    def installers(self):
        return {
            "apache": ApacheInstaller(command_timeout_s=self.command_timeout_s, take_up_s=2),
            "nginx": NginxInstaller(command_timeout_s=self.command_timeout_s, take_up_s=2),
        }

    @property
    def site(self) -> Site:
        return self.server.sites[0]

    def rollout(self, *, allowed=lambda path: True, limits=LIMITS, **options) -> Rollout:
        return Rollout(self.state_dir, self.installers, allowed, limits=limits, **options)

    def request(self, leaf: Leaf, *, name="a.test", port=0, key=None, transaction="t-1") -> InstallRequest:
        certificate, chain, own_key = leaf.der
        return InstallRequest(
            transaction=transaction,
            server=self.definition,
            node_id=f"{name}@127.0.0.1:{self.server.ports[port]}",
            material=Material.from_der(certificate, chain, key or own_key),
        )

    async def served(self, name="a.test", port=0):
        return await served_certificate("127.0.0.1", self.server.ports[port], name)

    def leftovers(self) -> list[str]:
        """What an install might have forgotten: staged files, backups, checkpoints."""
        beside = self.site.certificate.parent.glob(".*")
        return [path.name for path in (*beside, *self.state_dir.glob("installs/*"))]


@pytest.fixture(params=sorted(SERVERS))
def kind(request) -> str:
    return request.param


@pytest.fixture
def bench(kind, tmp_path):
    authority = Authority()
    files = tmp_path / "tls"
    files.mkdir()
    old = authority.leaf("a.test", "www.a.test", days=2)
    sites = [
        Site(("a.test", "www.a.test"), files / "a.pem", files / "a.key"),
        Site(("b.test",), files / "b.pem", files / "b.key"),
        Site(("c.test",), files / "c.pem", files / "c.key", port_index=1),
    ]
    for site in sites:
        (old if site.names[0] == "a.test" else authority.leaf(*site.names)).write(site)
    server = SERVERS[kind](tmp_path / "server", sites, ports=2)
    state_dir = tmp_path / "state"
    state_dir.mkdir(mode=0o700)
    (state_dir / "servers.toml").write_text(server.toml("front"))
    server.start()
    yield Bench(server, authority, state_dir, old)
    server.stop()


class Visitors:
    """Clients that shake hands all the time, and what they saw."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._stop = threading.Event()
        self.seen: list[str] = []
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._visit) for _ in range(2)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _visit(self) -> None:
        import hashlib
        import socket
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        while not self._stop.is_set():
            try:
                with (
                    socket.create_connection(("127.0.0.1", self._bench.server.port), timeout=5) as plain,
                    context.wrap_socket(plain, server_hostname="a.test") as secure,
                ):
                    self.seen.append(hashlib.sha256(secure.getpeercert(binary_form=True)).hexdigest())
            except OSError as error:
                self.failures.append(repr(error))


@pytest.fixture
def visitors(bench):
    return Visitors(bench)
