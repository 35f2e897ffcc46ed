"""The engine against nginx and OpenSSL with all the settings that change what a hello has to look like."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from agents.network.scanner.client_hello import Authentication, tls12_client_hello
from agents.network.scanner.hello import PartialHello
from agents.network.scanner.lookups import Lookups
from agents.network.scanner.observation import Status
from agents.network.scanner.outcomes import ChainSeen
from agents.network.scanner.poller import SelectorPoller
from agents.network.scanner.resolver import Resolution
from tests.integration.scanner.farm import (
    FAST,
    free_port,
    nginx_server,
    openssl_server,
    scan_all,
    scan_one,
    sha256,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.scanner.farm import Chain

pytestmark = pytest.mark.server


@pytest.mark.parametrize(
    ("kind", "options", "version"),
    [
        ("ec", ["-tls1_2"], "TLSv1.2"),
        ("rsa", ["-tls1_2"], "TLSv1.2"),
        ("rsa", ["-tls1_2", "-cipher", "AES128-GCM-SHA256"], "TLSv1.2"),
        ("ed25519", ["-tls1_2"], "TLSv1.2"),
        ("ec", ["-tls1_2", "-Verify", "1"], "TLSv1.2"),
        ("ec", ["-tls1", "-cipher", "ALL@SECLEVEL=0"], "TLSv1"),
        ("ec", [], "TLSv1.2"),
        ("ec", ["-tls1_3"], "TLSv1.3"),
        ("rsa", ["-tls1_3"], "TLSv1.3"),
        ("ed25519", ["-tls1_3"], "TLSv1.3"),
        ("ec", ["-tls1_3", "-Verify", "1"], "TLSv1.3"),
        ("ec", ["-tls1_3", "-groups", "P-256"], "TLSv1.3"),
        ("ec", ["-tls1_3", "-groups", "P-384"], "TLSv1.3"),
        ("ec", ["-tls1_3", "-groups", "P-521", "-stateless"], "TLSv1.3"),
        ("ec", ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"], "TLSv1.3"),
        ("ec", ["-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384", "-max_send_frag", "512"], "TLSv1.3"),
    ],
)
def test_openssl_shows_its_chain(
    chains: dict[str, Chain], kind: str, options: list[str], version: str
) -> None:
    with openssl_server(chains[kind], *options) as port:
        seen = scan_one("127.0.0.1", port)
    assert (seen.status, seen.reason) == (Status.OK, "")
    assert sha256(seen) == chains[kind].sha256
    assert seen.version == version
    assert seen.partial


def test_the_portable_poller_sees_the_same(chains: dict[str, Chain]) -> None:
    with openssl_server(chains["ec"], "-tls1_3") as port:
        seen = scan_one("127.0.0.1", port, poller=SelectorPoller())
    assert sha256(seen) == chains["ec"].sha256


def test_a_server_with_no_suite_in_common_is_told_by_its_alert(chains: dict[str, Chain]) -> None:
    with openssl_server(chains["ec"], "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256") as port:
        seen = scan_one("127.0.0.1", port)
    assert (seen.status, seen.reason, seen.detail) == (
        Status.TLS_FAILED,
        "AlertReceived",
        "handshake_failure",
    )


def test_a_server_with_two_certificates_shows_either_on_demand(chains: dict[str, Chain]) -> None:
    rsa = chains["rsa"]
    second = ["-dcert", str(rsa.certificate), "-dkey", str(rsa.key), "-dcert_chain", str(rsa.issuer)]
    with openssl_server(chains["ec"], "-tls1_2", *second) as port:
        for authentication, kind in ((Authentication.RSA, "rsa"), (Authentication.ECDSA, "ec")):
            talk = PartialHello(
                tls12_client_hello(name=None, random=bytes(32), authentication=authentication)
            )
            with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
                sock.sendall(talk.start())
                outcome = None
                while outcome is None:
                    outcome = talk.receive(sock.recv(65536))
            assert isinstance(outcome, ChainSeen)
            assert len(outcome.chain) == 2
            assert outcome.chain[0] in _ders(chains[kind])


def _ders(chain: Chain) -> list[bytes]:
    import ssl

    return [ssl.PEM_cert_to_DER_cert(chain.certificate.read_text().strip())]


class OneAddress:
    """A resolver that knows every name, at 127.0.0.1."""

    def __init__(self, addresses: tuple[str, ...] = ("127.0.0.1",)) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._found: list[Resolution] = []
        self._addresses = addresses
        self.asked: list[str] = []

    def submit(self, name: str) -> None:
        self.asked.append(name)
        self._found.append(Resolution(name, self._addresses))
        self._theirs.send(b"x")

    def results(self) -> list[Resolution]:
        self._ours.recv(1)
        found, self._found = self._found, []
        return found

    def fileno(self) -> int:
        return self._ours.fileno()

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()


def test_nginx_chooses_by_name_and_version(chains: dict[str, Chain], tmp_path: Path) -> None:
    both, only13 = free_port(), free_port()
    blocks = []
    for kind, name, port, protocols in (
        ("ec", "ec.test", both, "TLSv1.2 TLSv1.3"),
        ("rsa", "rsa.test", both, "TLSv1.2 TLSv1.3"),
        ("other", "ec.test", only13, "TLSv1.3"),
        ("ec", "rsa.test", only13, "TLSv1.3"),
    ):
        chain = chains[kind]
        blocks.append(
            f"server {{ listen 127.0.0.1:{port} ssl; server_name {name}; ssl_protocols {protocols};"
            f" ssl_certificate {chain.full}; ssl_certificate_key {chain.key}; }}"
        )
    with nginx_server(tmp_path, "\n".join(blocks), both):
        resolver = OneAddress()
        lookups = Lookups(1.0, lambda: resolver)
        seen = scan_all(["ec.test", "rsa.test", "127.0.0.1"], f"{both},{only13}", lookups=lookups)
    found = {(entry.name, entry.port): sha256(entry) for entry in seen}
    assert found == {
        (None, both): chains["ec"].sha256,
        ("ec.test", both): chains["ec"].sha256,
        ("rsa.test", both): chains["rsa"].sha256,
        (None, only13): chains["other"].sha256,
        ("ec.test", only13): chains["other"].sha256,
        ("rsa.test", only13): chains["ec"].sha256,
    }
    assert sorted(resolver.asked) == ["ec.test", "rsa.test"]
    assert {entry.address for entry in seen} == {"127.0.0.1"}


def test_all_addresses_of_a_name_are_scanned(chains: dict[str, Chain]) -> None:
    with ExitStack() as stack:
        port = stack.enter_context(openssl_server(chains["ec"], "-tls1_2"))
        resolver = OneAddress(("127.0.0.1", "127.0.0.2", "::1", "127.0.0.3"))
        seen = scan_all(
            ["many.test"],
            str(port),
            lookups=Lookups(1.0, lambda: resolver),
            allowed=lambda address: address != "127.0.0.3",
        )
    assert {entry.address: entry.status for entry in seen} == {
        "127.0.0.1": Status.OK,
        "127.0.0.2": Status.CLOSED,
        "::1": Status.CLOSED,
        "127.0.0.3": Status.NOT_ALLOWED,
    }


def test_ipv6(chains: dict[str, Chain], tmp_path: Path) -> None:
    port = free_port("::1")
    chain = chains["ec"]
    block = f"server {{ listen 127.0.0.1:{port} ssl; listen [::1]:{port} ssl; ssl_certificate {chain.full}; "
    with nginx_server(tmp_path, block + f"ssl_certificate_key {chain.key}; }}", port):
        seen = scan_one("::1", port)
    assert (seen.address, sha256(seen)) == ("::1", chain.sha256)


def test_a_sweep_only_looks_for_open_ports(chains: dict[str, Chain]) -> None:
    from dataclasses import replace

    with openssl_server(chains["ec"], "-tls1_2") as port:
        closed = free_port()
        seen = scan_all(["127.0.0.1"], f"{port},{closed}", replace(FAST, sweep_only=True))
    assert {entry.port: entry.status for entry in seen} == {port: Status.OPEN, closed: Status.CLOSED}
