"""Structured logs: a JSON object a line on standard error, without secrets.

A value is hidden when its key's name says secret, and bytes are never printed: nothing binary here is for
people, and some of it is key material.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

_SECRET = re.compile(
    r"(secret|token|passphrase|password|private|envelope|kek|credential|(^|_)key$|pem)", re.IGNORECASE
)
HIDDEN = "***"


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that hides secrets, at any depth."""
    return {key: _shown(key, value) for key, value in event.items()}


def _shown(key: str, value: Any) -> Any:
    if _SECRET.search(key):
        return HIDDEN
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, dict):
        return {str(name): _shown(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown("", item) for item in value]
    return value


def configure_logs(*, stream: TextIO | None = None, verbose: bool = False) -> None:
    """Send logs to a stream, standard error by default."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
