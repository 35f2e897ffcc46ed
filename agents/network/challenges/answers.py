"""What is answered now, kept in a file, so that a restarted agent goes on until the time is over."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from agents.runtime.errors import CommandFailed
from agents.runtime.state_dir import write_file

HTTP, TLS_ALPN = "http-01", "tls-alpn-01"
# RFC 8555, 8: base64url. It becomes a file's name, so nothing else may pass.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}\Z")
_AUTHORIZATION = re.compile(r"[A-Za-z0-9_-]{1,256}\.[A-Za-z0-9_-]{1,128}\Z")
_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,128}\Z")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:-]{1,253}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A challenge that is answered until ``expires`` (seconds since the epoch)."""

    key: str
    method: str
    identifier: str
    token: str
    key_authorization: str = field(repr=False)
    expires: float


def check(answer: Answer) -> None:
    """Refuse what is no challenge; raise CommandFailed."""
    fits = (
        _KEY.match(answer.key)
        and _TOKEN.match(answer.token)
        and _IDENTIFIER.match(answer.identifier)
        and _AUTHORIZATION.match(answer.key_authorization)
        and answer.key_authorization.partition(".")[0] == answer.token
    )
    if not fits:
        raise CommandFailed("ChallengeMalformed", "this is no challenge of RFC 8555")
    if answer.method not in {HTTP, TLS_ALPN}:
        raise CommandFailed("MethodUnknown", f"this agent can't answer {answer.method[:32]!r}")


def now_s() -> float:
    """Return the time in seconds since the epoch."""
    return datetime.now(UTC).timestamp()


class AnswerFile:
    """The answers as a file of the state directory, replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Answer]:
        """Return what is stored; a file that can't be read counts as empty: answers are made anew."""
        try:
            return [Answer(**item) for item in json.loads(self._path.read_bytes())]
        except (OSError, ValueError, TypeError):
            return []

    def write(self, answers: Iterable[Answer]) -> None:
        """Store all answers. Raises OSError."""
        write_file(self._path, json.dumps([asdict(answer) for answer in answers]).encode())
