"""A private nginx on loopback ports."""

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

_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class PrivateNginx:
    """Writes its configuration into `directory`, starts, stops, and says where it is.

    `extra` is configuration text for the end of the http block; further files may be put into
    `directory/sites`, which is included.
    """

    kind = "nginx"

    def __init__(self, directory: Path, sites: Sequence[Site], *, ports: int = 1, extra: str = "") -> None:
        self.directory = directory
        self.sites = tuple(sites)
        self.ports = free_ports(ports)
        self.config = directory / "nginx.conf"
        self.pid_file = directory / "nginx.pid"
        self.error_log = directory / "error.log"
        self.program = Path(shutil.which("nginx") or "/usr/sbin/nginx")
        for folder in ("temp", "sites"):
            (directory / folder).mkdir(parents=True, exist_ok=True)
        self.write_config(extra)

    @property
    def port(self) -> int:
        """The first port."""
        return self.ports[0]

    def write_config(self, extra: str = "") -> None:
        """(Re)write the main configuration file."""
        lines = [
            "user www-data;" if os.geteuid() == 0 else "",
            f"pid {self.pid_file};",
            f"error_log {self.error_log};",
            "worker_processes 1;",
            "events { worker_connections 256; }",
            "http {",
            "  access_log off;",
            *(f"  {name}_temp_path {self.directory}/temp/{name};" for name in _TEMPORARY),
            *(self._site(site) for site in self.sites),
            f"  include {self.directory}/sites/*.conf;",
            extra,
            "}",
        ]
        self.config.write_text("\n".join(lines) + "\n")

    def _site(self, site: Site) -> str:
        return (
            f"  server {{\n    listen 127.0.0.1:{self.ports[site.port_index]} ssl;\n"
            f"    server_name {' '.join(site.names)};\n"
            f"    ssl_certificate {site.certificate};\n    ssl_certificate_key {site.key};\n"
            "    return 204;\n  }"
        )

    def start(self) -> None:
        """Start and wait until every port answers."""
        run(self._command())
        wait_until(lambda: all(map(answers, self.ports)), "nginx answers")

    def stop(self) -> None:
        """Stop, however it is."""
        end_process(self.pid_file)
        wait_until(lambda: not any(map(is_open, self.ports)), "the ports are closed")
        self.pid_file.unlink(missing_ok=True)

    def is_running(self) -> bool:
        """Whether its master process lives."""
        return process_id(self.pid_file) is not None

    def _command(self) -> list[str]:
        return [str(self.program), *self._arguments(), "-p", str(self.directory), "-c", str(self.config)]

    def _arguments(self) -> list[str]:
        """Without it, nginx opens the log it was built with before it has read the configuration."""
        return ["-e", str(self.error_log)]

    def toml(self, name: str = "nginx") -> str:
        """The table for `servers.toml`."""
        values = {
            "name": name,
            "kind": self.kind,
            "config": str(self.config),
            "program": str(self.program),
            "root": str(self.directory),
            "arguments": self._arguments(),
        }
        return "[[server]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
