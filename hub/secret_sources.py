"""Where a secret that unlocks the hub comes from: a file, the environment, systemd, a descriptor, a person.

A source is one word, so that it fits a flag, a variable or a line of ``config.toml``: ``file:PATH``,
``env:NAME``, ``credential:NAME`` (systemd's ``LoadCredential=``, see systemd.exec(5)), ``fd:NUMBER`` and
``prompt``. ``passphrase:`` before it says that a key is to be derived from what is read there.
"""

from __future__ import annotations

import getpass
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_MAX_BYTES = 4096
_KINDS = ("file", "env", "credential", "fd", "prompt")
_READ_ONCE = frozenset({"fd", "prompt"})


class SecretUnavailable(ValueError):
    """The secret can't be read; the message says why and never what."""


@dataclass(frozen=True, slots=True)
class SecretSource:
    """One source; ``passphrase``: what it gives is one."""

    kind: str
    name: str = ""
    passphrase: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a source; raises ValueError."""
        rest = text.removeprefix("passphrase:")
        kind, _, name = rest.partition(":")
        if kind not in _KINDS or bool(name) is (kind == "prompt"):
            raise ValueError("write env:NAME, credential:NAME, file:PATH, fd:NUMBER or prompt")
        if kind == "fd" and not (name.isascii() and name.isdigit()):
            raise ValueError("the descriptor is a number, such as fd:3")
        if kind == "credential" and "/" in name:
            raise ValueError("a credential's name has no slash")
        return cls(kind, name, rest != text)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


def _ask(question: str) -> str:
    return getpass.getpass(f"{question}: ")


@dataclass(slots=True)
class SecretReader:
    """Reads secrets; what can be read only once is remembered. The environment may be replaced in tests."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    ask: Callable[[str], str] = field(default=_ask, repr=False)
    _known: dict[str, str] = field(default_factory=dict, repr=False)

    def read(self, source: SecretSource, *, what: str) -> str:
        """Return the secret without a newline at its end.

        Raises:
            SecretUnavailable: it is not there, is empty, or everybody on this machine can read it.
        """
        key = str(source)
        if key in self._known:
            return self._known[key]
        try:
            text = self._text(source, what)
        except (OSError, UnicodeDecodeError, EOFError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise SecretUnavailable(f"{what} from {source}: {reason}") from error
        text = text.rstrip("\r\n")
        if not text:
            raise SecretUnavailable(f"{what} from {source} is empty")
        if source.kind in _READ_ONCE:
            self._known[key] = text
        return text

    def _text(self, source: SecretSource, what: str) -> str:
        match source.kind:
            case "env":
                return self.environment.get(source.name, "")
            case "credential":
                folder = self.environment.get("CREDENTIALS_DIRECTORY")
                if not folder:
                    raise SecretUnavailable(
                        f"{what} from {source}: the service was not started by systemd with LoadCredential="
                    )
                return _file(Path(folder) / source.name, what)
            case "file":
                return _file(Path(source.name), what)
            case "fd":
                with os.fdopen(int(source.name), "rb") as stream:
                    return stream.read(_MAX_BYTES).decode()
            case _:
                return self.ask(what)


def _file(path: Path, what: str) -> str:
    with path.open("rb") as stream:
        if os.fstat(stream.fileno()).st_mode & stat.S_IRWXO:
            raise SecretUnavailable(f"{what} {path} can be read by everybody; chmod it to 0600")
        return stream.read(_MAX_BYTES).decode()
