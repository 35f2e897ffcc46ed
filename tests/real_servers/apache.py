"""A private Apache httpd on loopback ports."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.real_servers.site import (
    Site,
    answers,
    end_process,
    free_ports,
    is_open,
    process_id,
    run,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

MODULES = Path("/usr/lib/apache2/modules")
_NEEDED = ("mpm_event", "authz_core", "ssl", "socache_shmcb", "macro", "dir", "unixd")


class PrivateApache:
    """Writes its configuration into `directory`, starts, stops, and says where it is.

    `extra` is configuration text for the end of the main file; further files may be put into
    `directory/sites`, which is included.
    """

    kind = "apache"

    def __init__(self, directory: Path, sites: Sequence[Site], *, ports: int = 1, extra: str = "") -> None:
        self.directory = directory
        self.sites = tuple(sites)
        self.ports = free_ports(ports)
        self.config = directory / "httpd.conf"
        self.pid_file = directory / "run" / "httpd.pid"
        self.error_log = directory / "error.log"
        self.program = Path(shutil.which("apache2") or shutil.which("httpd") or "/usr/sbin/apache2")
        for folder in ("run", "sites", "htdocs"):
            (directory / folder).mkdir(parents=True, exist_ok=True)
        self.write_config(extra)

    @property
    def port(self) -> int:
        """The first port."""
        return self.ports[0]

    def write_config(self, extra: str = "") -> None:
        """(Re)write the main configuration file."""
        modules = [name for name in _NEEDED if (MODULES / f"mod_{name}.so").exists()]
        owner = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        lines = [
            f'ServerRoot "{self.directory}"',
            "ServerName private.test",
            "PidFile run/httpd.pid",
            "DefaultRuntimeDir run",
            f"Mutex file:{self.directory}/run default",
            "ErrorLog error.log",
            "ServerLimit 4",
            "StartServers 1",
            "ThreadsPerChild 8",
            "MaxRequestWorkers 32",
            *(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in modules),
            owner,
            "SSLSessionCache none",
            f'DocumentRoot "{self.directory}/htdocs"',
            *(f"Listen 127.0.0.1:{port} https" for port in self.ports),
            *(self._site(site) for site in self.sites),
            "IncludeOptional sites/*.conf",
            extra,
        ]
        self.config.write_text("\n".join(lines) + "\n")

    def _site(self, site: Site) -> str:
        aliases = f"  ServerAlias {' '.join(site.names[1:])}\n" if len(site.names) > 1 else ""
        chain = f'  SSLCertificateChainFile "{site.chain}"\n' if site.chain else ""
        return (
            f"<VirtualHost 127.0.0.1:{self.ports[site.port_index]}>\n"
            f"  ServerName {site.names[0]}\n{aliases}  SSLEngine on\n"
            f'  SSLCertificateFile "{site.certificate}"\n  SSLCertificateKeyFile "{site.key}"\n{chain}'
            "</VirtualHost>"
        )

    def start(self) -> None:
        """Start and wait until every port answers."""
        run([str(self.program), "-f", str(self.config), "-k", "start"])
        wait_until(lambda: all(map(answers, self.ports)), "Apache answers")

    def stop(self) -> None:
        """Stop, however it is."""
        end_process(self.pid_file)
        wait_until(lambda: not any(map(is_open, self.ports)), "the ports are closed")
        self.pid_file.unlink(missing_ok=True)

    def is_running(self) -> bool:
        """Whether its process lives."""
        return process_id(self.pid_file) is not None

    def toml(self, name: str = "apache") -> str:
        """The table for `servers.toml`."""
        values = {"name": name, "kind": self.kind, "config": str(self.config), "program": str(self.program)}
        return "[[server]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
