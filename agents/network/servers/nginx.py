"""Server blocks of an nginx, read with crossplane, which follows includes as nginx does.

Names and inheritance follow https://nginx.org/en/docs/http/ngx_http_core_module.html and
ngx_http_ssl_module.html: certificate directives of a server block replace those of the http block together,
relative names start at the folder of the main configuration file, and `ssl` on one block's `listen` holds
for every block on that address. Mail and stream servers are not read yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import crossplane

from agents.network.servers.certificate_files import judged_files, leaf_fingerprint
from agents.network.servers.errors import ConfigurationUnreadableError
from agents.network.servers.model import NO_TLS, Inventory, Node, Port, distinct_ids, node_id

if TYPE_CHECKING:
    from agents.network.servers.model import ServerDefinition

_LISTEN = re.compile(r"(?P<host>\[[^\]]+\]|\*|[^:\[\]]*[^:\[\]\d][^:\[\]]*|(?=:))?:?(?P<port>\d+)?")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the configuration: its statements with includes already put in their places."""

    source: str
    statements: tuple[dict[str, Any], ...]

    def blocks(self, name: str) -> list[Block]:
        """The blocks of that name directly in this one."""
        return [
            Block(f"{found['file']}:{found['line']}", tuple(found["block"]))
            for found in self.statements
            if found["directive"] == name and "block" in found
        ]

    def all(self, name: str) -> list[list[str]]:
        """The arguments of every statement of that name directly in this block."""
        return [list(found["args"]) for found in self.statements if found["directive"] == name]


@dataclass(frozen=True, slots=True)
class _Listen:
    address: str
    port: int
    tls: bool


def command(server: ServerDefinition, *arguments: str) -> tuple[str, ...]:
    """A command line of this server's program on this server's configuration."""
    prefix = ("-p", str(server.root)) if server.root else ()
    program = server.program
    return (str(program.path), *program.arguments, *prefix, "-c", str(server.config), *arguments)


def read_configuration(server: ServerDefinition) -> Block:
    """The whole configuration with its includes; raises ConfigurationUnreadableError.

    The server's own check comes first (see the installer): crossplane is more lenient than nginx.
    """
    parsed = crossplane.parse(
        str(server.config), combine=True, comments=False, strict=False, check_ctx=False, check_args=False
    )
    if parsed["errors"]:
        raise ConfigurationUnreadableError(str(parsed["errors"][0]["error"]))
    return Block(str(server.config), tuple(parsed["config"][0]["parsed"]))


def inventory(server: ServerDefinition, configuration: Block) -> Inventory:
    """The server blocks of every http block."""
    pairs = [(http, block) for http in configuration.blocks("http") for block in http.blocks("server")]
    listens = [_listens(block) for _, block in pairs]
    tls = {(found.address, found.port) for each in listens for found in each if found.tls}
    nodes = [
        _node(server, http, block, tuple(Port(a, p, (a, p) in tls) for a, p in _addresses(each)))
        for (http, block), each in zip(pairs, listens, strict=True)
    ]
    return Inventory(server, distinct_ids(nodes))


def _addresses(listens: list[_Listen]) -> list[tuple[str, int]]:
    return list(dict.fromkeys((found.address, found.port) for found in listens))


def _listens(block: Block) -> list[_Listen]:
    """Where a block listens; UNIX sockets and port ranges are left out."""
    legacy = block.all("ssl") == [["on"]]
    wanted = block.all("listen") or [["80"]]
    found = []
    for address, *options in wanted:
        match = _LISTEN.fullmatch(address)
        if match and not address.startswith("unix:"):
            host = (match["host"] or "*").strip("[]")
            found.append(_Listen(host, int(match["port"] or 80), "ssl" in options or legacy))
    return found


def _node(server: ServerDefinition, http: Block, block: Block, ports: tuple[Port, ...]) -> Node:
    names = _names(block)
    files, management = None, NO_TLS
    if any(port.tls for port in ports):
        certificates, keys = (
            [found[0] for found in block.all(name) or http.all(name)]
            for name in ("ssl_certificate", "ssl_certificate_key")
        )
        files, management = judged_files(server.config.parent, certificates, keys)
    return Node(
        id=node_id(names, ports),
        names=names,
        source=block.source,
        ports=ports,
        files=files,
        fingerprint=leaf_fingerprint(files.certificate) if files else None,
        management=management,
    )


def _names(block: Block) -> tuple[str, ...]:
    """server_name values; `.a.test` stands for two names, `_` and the empty name for none."""
    names: list[str] = []
    for name in (name.lower() for arguments in block.all("server_name") for name in arguments):
        if name.startswith("."):
            names += [name[1:], f"*{name}"]
        elif name not in {"_", ""}:
            names.append(name)
    return tuple(dict.fromkeys(names))
