"""Values of the server inventory: definitions, nodes and ports.

A *server* is one running program with one main configuration file. A *node* is what a certificate is bound
to inside it: an Apache virtual host, an nginx server block (later: a Tomcat connector, an IIS binding, a
BIG-IP profile). A *port* is one address on which a node answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

_LITERAL_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
WILDCARD_ADDRESSES = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1", "_default_": "127.0.0.1"}  # noqa: S104 (compared, never bound)


@dataclass(frozen=True, slots=True)
class Program:
    """The server's program, the arguments that always precede ours, and its environment."""

    path: Path
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ControlCommands:
    """Commands that replace the ones the plug-in would run, for example `systemctl reload nginx`."""

    check: tuple[str, ...] | None = None
    reload: tuple[str, ...] | None = None
    start: tuple[str, ...] | None = None
    restart: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ServerDefinition:
    """One server on this machine: how to find its configuration and how to talk to it."""

    name: str
    kind: str
    config: Path
    program: Program
    root: Path | None = None
    """ServerRoot of Apache, prefix of nginx; None leaves it to the program's built-in value."""
    commands: ControlCommands = ControlCommands()
    activation: str = "reload"
    """"reload" as part of an install, or "restart": an install only deploys, and somebody says when."""


@dataclass(frozen=True, slots=True)
class Port:
    """One address a node listens on, and what a handshake there showed (None: not looked at)."""

    address: str
    port: int
    tls: bool
    served: str | None = None
    """SHA-256 of the certificate served, lower-case hex."""
    problem: str | None = None
    """Why no handshake was completed, when one was tried."""

    @property
    def host(self) -> str:
        """The address to connect to from this machine: loopback for a wildcard."""
        return WILDCARD_ADDRESSES.get(self.address, self.address)

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """The files a configuration names for one certificate, absolute, links not followed."""

    certificate: Path
    key: Path
    chain: Path | None = None
    """Only when the configuration keeps intermediates in a file of their own."""

    def paths(self) -> tuple[Path, ...]:
        """Every distinct file, certificate first."""
        wanted = (self.certificate, self.key, self.chain)
        return tuple(dict.fromkeys(path for path in wanted if path is not None))


@dataclass(frozen=True, slots=True)
class Manageability:
    """Whether an installer may change a node; `reason` is a stable word, empty when it may."""

    reason: str = ""
    message: str = ""

    @property
    def manageable(self) -> bool:
        """True when no reason speaks against it."""
        return not self.reason


NO_TLS = Manageability("NoTls", "it does not speak TLS")


@dataclass(frozen=True, slots=True)
class Node:
    """A virtual host or server block."""

    id: str
    """Stable while the primary name and the addresses stay: `name@address:port[,address:port]`."""
    names: tuple[str, ...]
    source: str
    """Where the configuration defines it, in the server's words: `file:line`."""
    ports: tuple[Port, ...]
    files: CertificateFiles | None = None
    fingerprint: str | None = None
    """SHA-256 of the leaf in the certificate file, lower-case hex."""
    management: Manageability = Manageability()

    @property
    def tls_ports(self) -> tuple[Port, ...]:
        """The addresses that answer with a certificate."""
        return tuple(port for port in self.ports if port.tls)

    @property
    def server_name(self) -> str:
        """The name to send as SNI: the first literal one, or empty when there is none."""
        return next((name for name in self.names if is_literal_name(name)), "")


@dataclass(frozen=True, slots=True)
class Inventory:
    """All nodes of one server as its configuration stood when it was read."""

    server: ServerDefinition
    nodes: tuple[Node, ...]

    def node(self, node_id: str) -> Node | None:
        """The node with that id, or None."""
        return next((node for node in self.nodes if node.id == node_id), None)


def is_literal_name(name: str) -> bool:
    """Whether a configured name is a host name a client could ask for (no wildcard, no expression)."""
    return _LITERAL_NAME.fullmatch(name) is not None and any(map(str.isalpha, name.rsplit(".", 1)[-1]))


def node_id(names: tuple[str, ...], ports: tuple[Port, ...]) -> str:
    """The id of a node with these names and addresses."""
    return f"{names[0] if names else '*'}@{','.join(str(port) for port in ports)}"


def distinct_ids(nodes: list[Node]) -> tuple[Node, ...]:
    """Number nodes that would share an id: `#2` is the second in configuration order."""
    seen: dict[str, int] = {}
    numbered = []
    for node in nodes:
        seen[node.id] = seen.get(node.id, 0) + 1
        count = seen[node.id]
        numbered.append(node if count == 1 else replace(node, id=f"{node.id}#{count}"))
    return tuple(numbered)
