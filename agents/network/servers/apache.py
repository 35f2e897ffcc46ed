"""Virtual hosts of an Apache httpd, read through the server itself.

`httpd -t -D DUMP_CONFIG` prints the configuration after includes, macros, defines and conditions, provided
mod_info is loaded; it is loaded for that one run with `-C LoadModule`, which never serves a request. Merging
rules of mod_ssl are repeated here: a virtual host's certificate files replace the main server's one by one.
https://httpd.apache.org/docs/2.4/programs/httpd.html, https://httpd.apache.org/docs/2.4/mod/mod_ssl.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agents.network.servers import process
from agents.network.servers.apache_syntax import Section, parse
from agents.network.servers.certificate_files import judged_files, leaf_fingerprint
from agents.network.servers.errors import ConfigurationCheckFailedError, ConfigurationUnreadableError
from agents.network.servers.model import (
    NO_TLS,
    WILDCARD_ADDRESSES,
    CertificateFiles,
    Inventory,
    Manageability,
    Node,
    Port,
    distinct_ids,
    node_id,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.network.servers.model import ServerDefinition

DUMP_TIMEOUT_S = 30.0
_DUMP_LIMIT = 64 << 20
_MODULE_FOLDERS = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules")
_ADDRESS = re.compile(r"(?:(?P<address>\[[^\]]+\]|[^:\s]*):)?(?P<port>\d+|\*)$")
_RUN_SETTING = re.compile(r'^(ServerRoot|PidFile|Main ErrorLog): "(.*)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ApacheConfiguration:
    """The resolved configuration and the run settings that `-D DUMP_RUN_CFG` prints."""

    tree: Section
    root: Path
    pid_file: Path | None
    error_log: Path | None


def command(server: ServerDefinition, *arguments: str) -> tuple[str, ...]:
    """A command line of this server's program on this server's configuration."""
    root = ("-d", str(server.root)) if server.root else ()
    program = server.program
    return (str(program.path), *program.arguments, *root, "-f", str(server.config), *arguments)


async def read_configuration(server: ServerDefinition) -> ApacheConfiguration:
    """Have the server print its configuration.

    Raises ConfigurationCheckFailedError with the server's words when it refuses it, and
    ConfigurationUnreadableError when mod_info is not installed.
    """
    module = next((p for f in _MODULE_FOLDERS if (p := Path(f, "mod_info.so")).exists()), None)
    load = ("-C", f"LoadModule info_module {module}") if module else ()
    result = await process.run(
        command(server, "-t", *load, "-D", "DUMP_CONFIG", "-D", "DUMP_RUN_CFG"),
        timeout_s=DUMP_TIMEOUT_S,
        environment=server.program.environment,
        limit=_DUMP_LIMIT,
    )
    if result.exit_code != 0:
        raise ConfigurationCheckFailedError("the server refuses its configuration", words=result.words)
    start = result.output.find("# In file:")
    end = result.output.rfind("ServerRoot: ")
    if start < 0 or end < start or result.truncated:
        raise ConfigurationUnreadableError(
            "the server does not print its configuration: is mod_info installed?"
        )
    settings = dict(_RUN_SETTING.findall(result.output[end:]))
    root = Path(settings["ServerRoot"])
    return ApacheConfiguration(
        tree=parse(result.output[start:end]),
        root=root,
        pid_file=_absolute(root, settings.get("PidFile")),
        error_log=_absolute(root, settings.get("Main ErrorLog")),
    )


def _absolute(root: Path, name: str | None) -> Path | None:
    return root / name if name else None


def inventory(server: ServerDefinition, configuration: ApacheConfiguration) -> Inventory:
    """The virtual hosts of a configuration, and the main server where it speaks TLS itself."""
    tree = configuration.tree
    hosts = [section for section in tree.sections if section.name == "virtualhost"]
    listening = [port for found in tree.all("Listen") if (port := _listen_port(found.arguments))]
    nodes = [_node(configuration, host, _host_ports(host, listening)) for host in hosts]
    taken = {(port.address, port.port) for node in nodes for port in node.ports}
    if _speaks_tls(tree, tree):
        left = [where for where in listening if where not in taken]
        nodes.append(_node(configuration, tree, left))
    return Inventory(server, distinct_ids(nodes))


def _listen_port(arguments: Sequence[str]) -> tuple[str, int] | None:
    found = _ADDRESS.match(arguments[0]) if arguments else None
    if found is None or not found["port"].isdigit():
        return None
    return (found["address"] or "*").strip("[]"), int(found["port"])


def _host_ports(host: Section, listening: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Where a virtual host answers: its own addresses, wildcards narrowed to what the server listens on."""
    found: list[tuple[str, int]] = []
    for argument in host.arguments:
        match = _ADDRESS.match(argument)
        address = (match["address"] if match else argument) or "*"
        address = address.strip("[]")
        number = int(match["port"]) if match and match["port"].isdigit() else None
        ports = [(where, port) for where, port in listening if number in (None, port)]
        if address in WILDCARD_ADDRESSES:
            found += ports
        else:
            found += [(address, port) for port in dict.fromkeys(port for _, port in ports)]
    return list(dict.fromkeys(found))


def _node(configuration: ApacheConfiguration, host: Section, addresses: Sequence[tuple[str, int]]) -> Node:
    tls = _speaks_tls(configuration.tree, host)
    ports = tuple(Port(address, port, tls) for address, port in addresses)
    names = _names(host)
    files, management = _certificate(configuration, host) if tls else (None, NO_TLS)
    if management.manageable and not ports:
        management = Manageability(
            "NotListening", "the server does not listen on this virtual host's address"
        )
    return Node(
        id=node_id(names, ports),
        names=names,
        source=host.source or "main server",
        ports=ports,
        files=files,
        fingerprint=leaf_fingerprint(files.certificate) if files else None,
        management=management,
    )


def _speaks_tls(tree: Section, host: Section) -> bool:
    return (host.last("SSLEngine") or tree.last("SSLEngine") or "off").lower() == "on"


def _names(host: Section) -> tuple[str, ...]:
    """ServerName without scheme and port, then every ServerAlias."""
    names = []
    if name := host.last("ServerName"):
        names.append(_ADDRESS.sub(lambda found: found["address"] or "", name.rpartition("://")[2]))
    names += [alias for directive in host.all("ServerAlias") for alias in directive.arguments]
    return tuple(dict.fromkeys(name.lower() for name in names if name))


def _certificate(
    configuration: ApacheConfiguration, host: Section
) -> tuple[CertificateFiles | None, Manageability]:
    """The files of a virtual host after mod_ssl's merge, and whether they can be replaced."""
    certificates = _merged(configuration.tree, host, "SSLCertificateFile")
    keys = _merged(configuration.tree, host, "SSLCertificateKeyFile")
    chain = host.last("SSLCertificateChainFile") or configuration.tree.last("SSLCertificateChainFile")
    return judged_files(configuration.root, certificates, keys or certificates, chain)


def _merged(tree: Section, host: Section, name: str) -> list[str]:
    own, inherited = ([d.arguments[0] for d in part.all(name) if d.arguments] for part in (host, tree))
    return own + inherited[len(own) :] if host is not tree else own
