"""Structured logs on standard error, from which secrets are kept out.

JSON lines, or text for people when a terminal reads. Each value is redacted twice: by the name it has
(``password``, ``token``...) and by what it looks like (our tokens, private keys in PEM, Authorization
headers), also inside messages, exceptions and nested values. Tracebacks come without local variables.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, TextIO

import structlog

REDACTED = "[redacted]"

_SECRET_NAMES = re.compile(
    r"pass(word|wd|phrase)|secret|token|authorization|cookie|private|credential|api_?key|csrf|\bkek\b|pin$",
    re.IGNORECASE,
)
# Names that look like one and are not.
_HARMLESS_NAMES = frozenset({"token_id", "public_key", "key_id", "token_kind", "private_ca", "token_hint"})
_SECRET_VALUES = (
    re.compile(r"cwk_[A-Za-z0-9_-]{8,}"),
    re.compile(r"cwt1\.[A-Za-z0-9_.=-]{8,}"),
    re.compile(r"-----BEGIN (?P<kind>[A-Z ]*PRIVATE KEY)-----.*?(-----END (?P=kind)-----|\Z)", re.DOTALL),
    re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?i)(?<=authorization: )\S.*"),
    # user:password@ in database addresses
    re.compile(r"(?<=://)[^\s/:@]*:[^\s/@]+(?=@)"),
)
# Something of this is in every text that one of these patterns changes.
_SECRET_SIGNS = re.compile(r"cwk_|cwt1|-----BEGIN|://|bearer|basic|authorization", re.IGNORECASE)
_MAX_DEPTH = 6


def redact(value: Any, *, depth: int = 0) -> Any:
    """Return ``value`` with secrets replaced, however nested."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping) and depth < _MAX_DEPTH:
        return {str(key): _redact_named(str(key), item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < _MAX_DEPTH:
        return [redact(item, depth=depth + 1) for item in value]
    return _redact_text(str(value))


def _redact_text(text: str) -> str:
    if _SECRET_SIGNS.search(text) is None:
        return text
    for pattern in _SECRET_VALUES:
        text = pattern.sub(REDACTED, text)
    return text


def _redact_named(name: str, value: Any, depth: int) -> Any:
    if value in (None, "") or isinstance(value, bool):
        return value
    if _names_secret(name):
        return REDACTED
    return redact(value, depth=depth)


@lru_cache(maxsize=1024)
def _names_secret(name: str) -> bool:
    return name not in _HARMLESS_NAMES and _SECRET_NAMES.search(name) is not None


def redact_event(
    _logger: Any, _method: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Redact a whole log line; the last processor before it is rendered."""
    return {name: _redact_named(name, value, 0) for name, value in event_dict.items()}


def configure_logging(*, level: str = "info", style: str = "auto", stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging; called once at the start of a program.

    ``style`` is ``json``, ``console``, or ``auto``: console on a terminal.
    """
    out = sys.stderr if stream is None else stream
    as_console = style == "console" or (style == "auto" and out.isatty())
    structlog.configure(
        processors=[*_shared_processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared_processors(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact_event,
                _console() if as_console else structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_number(level))
    # Statements carry values; they stay out even when everything else is told.
    for noisy in ("sqlalchemy.engine", "aiosqlite", "asyncio", "aiohttp.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _shared_processors() -> list[Callable[..., Any]]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # A plain traceback: rich ones print local variables, and with them keys and passwords.
        structlog.processors.format_exc_info,
    ]


def _console() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
