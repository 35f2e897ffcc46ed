"""Bodies and results of commands for people: what was asked and what came back, never key material.

Bytes show as fingerprints where they are some, and as their length everywhere else.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

_MOST_ITEMS = 500
_SHOWN_IN_HEX = frozenset({"receiver_public_key"})
_CERTIFICATES = frozenset({"chain", "certificates"})


def summarize(value: Any) -> dict[str, Any]:
    """Return a body or result as JSON values."""
    return {field.name: _shown(field.name, getattr(value, field.name)) for field in fields(value)}


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return _bytes(name, value)
    if isinstance(value, tuple):
        return [_shown(name, item) for item in value[:_MOST_ITEMS]]
    if is_dataclass(value):
        return summarize(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _bytes(name: str, value: bytes) -> str:
    if name.endswith("sha256") or name in _SHOWN_IN_HEX:
        return value.hex()
    if name in _CERTIFICATES:
        return hashlib.sha256(value).hexdigest()
    return f"{len(value)} bytes"
