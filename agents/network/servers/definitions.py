"""Which servers this agent looks after: `servers.toml` in its state folder, or what the system has.

The file is written by whoever administers this machine, never by the hub. Without it, the usual places of
Debian and RHEL packages are looked at. With it, only what it names counts, unless it says `detect = true`:

    detect = false

    [[server]]
    name = "front"
    kind = "nginx"
    config = "/etc/nginx/nginx.conf"
    program = "/usr/sbin/nginx"
    reload = ["systemctl", "reload", "nginx"]   # optional, likewise check, start and restart
    activation = "reload"                       # or "restart": deployed only, restarted when asked to
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.network.servers.errors import DefinitionsMalformedError
from agents.network.servers.model import ControlCommands, Program, ServerDefinition

FILE_NAME = "servers.toml"

_Command = Annotated[tuple[str, ...], Field(min_length=1)]

USUAL_PLACES = (
    ("apache", "/usr/sbin/apache2ctl", "/etc/apache2/apache2.conf"),
    ("apache", "/usr/sbin/httpd", "/etc/httpd/conf/httpd.conf"),
    ("nginx", "/usr/sbin/nginx", "/etc/nginx/nginx.conf"),
)
"""Kind, program and configuration of packaged servers. Debian's Apache needs its wrapper: the configuration
uses variables that only the wrapper sets."""


class _Entry(BaseModel):
    """One `[[server]]` table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
    kind: str = Field(min_length=1, max_length=32)
    config: Path
    program: Path
    root: Path | None = None
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)
    check: _Command | None = None
    reload: _Command | None = None
    start: _Command | None = None
    restart: _Command | None = None
    activation: Literal["reload", "restart"] = "reload"

    def definition(self) -> ServerDefinition:
        """The same as the value that the rest of the agent uses."""
        return ServerDefinition(
            name=self.name,
            kind=self.kind,
            config=self.config,
            program=Program(self.program, self.arguments, tuple(self.environment.items())),
            root=self.root,
            commands=ControlCommands(self.check, self.reload, self.start, self.restart),
            activation=self.activation,
        )


class _File(BaseModel):
    """The whole of `servers.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    detect: bool = False
    server: tuple[_Entry, ...] = ()


def load_definitions(state_dir: Path, *, system_root: Path = Path("/")) -> tuple[ServerDefinition, ...]:
    """The servers of this agent, by name; raises DefinitionsMalformedError."""
    path = state_dir / FILE_NAME
    if not path.exists():
        return detect(system_root)
    try:
        content = _File.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, ValidationError, ValueError) as error:
        raise DefinitionsMalformedError(f"{path}: {error}") from error
    definitions = [entry.definition() for entry in content.server]
    named = {definition.config for definition in definitions}
    if content.detect:
        definitions += [found for found in detect(system_root) if found.config not in named]
    if len({definition.name for definition in definitions}) < len(definitions):
        raise DefinitionsMalformedError(f"{path}: two servers have the same name")
    return tuple(definitions)


def detect(system_root: Path = Path("/")) -> tuple[ServerDefinition, ...]:
    """Servers in the usual places of distribution packages; names are `system-<kind>`."""
    found: list[ServerDefinition] = []
    for kind, program, config in USUAL_PLACES:
        installed = all((system_root / name.lstrip("/")).is_file() for name in (program, config))
        if installed and not any(known.kind == kind for known in found):
            found.append(ServerDefinition(f"system-{kind}", kind, Path(config), Program(Path(program))))
    return tuple(found)
