"""What may stand in the audit log: plain JSON values, and no secrets.

Rooms pass what changed; here a value whose name says that it is a secret is replaced, however deep it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "(redacted)"
_SECRET = re.compile(
    r"(?:^|_)(?:passwords?|passphrase|secrets?|token|pin|otp|recovery_codes?|credentials?"
    r"|private_key|privatekey|hmac_key|api_key|authorization|cookie|password_hash)$",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Whether a field of this name holds a secret."""
    return _SECRET.search(name) is not None


def plain(value: Any) -> Any:
    """Return ``value`` as JSON that reads back the same from every database, without secrets."""
    if isinstance(value, Mapping):
        return {
            str(key): REDACTED if is_secret(str(key)) and item not in (None, "") else plain(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    if value is None or isinstance(value, bool | int):
        return value
    # PostgreSQL's JSON has no NUL, and writes floats in its own way.
    return str(value).replace("\x00", "\N{REPLACEMENT CHARACTER}")


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an audit entry says about a change: the fields that differ, before and after.

    A changed secret is named and its values are not.
    """
    names = (*before, *(name for name in after if name not in before))
    changed = [name for name in names if before.get(name) != after.get(name)]
    return {
        "before": {name: before.get(name) for name in changed},
        "after": {name: after.get(name) for name in changed},
    }
