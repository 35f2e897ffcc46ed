"""From rows of the queue to one message, with an id that stays when it is sent again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.notifications.catalog import TYPES
from hub.notifications.digests import Entry, combined
from hub.notifications.notifiers.contract import Message
from hub.notifications.queue import Held

# What chats show in a table, in this order; the rest is behind the link.
_FACTS = (
    ("common_name", "Certificate"),
    ("domain", "Domain"),
    ("name", "Name"),
    ("organization", "Organization"),
    ("department", "Department"),
    ("not_after", "Valid until"),
    ("days_left", "Days left"),
    ("requester", "Requested by"),
    ("hostname", "Host"),
    ("last_seen", "Last seen"),
    ("reason", "Reason"),
    ("message", "Message"),
    ("instruction", "What to do"),
)
_MAX_FACTS = 8
_SEVERITIES = ("error", "warning", "info", "success")


def message_id(held: Held) -> str:
    """Return the id of a message on its own."""
    return f"{held.dedupe_key[:40]}.{held.edition}"


def compose(group: Sequence[Held], *, batch: str, base_url: str) -> Message:
    """Return one message of one row, or of several that go out as ``batch``."""
    return _together(group, batch, base_url) if len(group) > 1 else _alone(group[0], base_url)


def _alone(held: Held, base_url: str) -> Message:
    kind = TYPES.get(held.type)
    data = held.data
    return Message(
        id=message_id(held),
        type=held.type,
        title=kind.title if kind is not None else held.type,
        severity=_severity(held),
        subject=held.subject,
        text=held.body,
        to=held.recipient,
        at=held.created_at,
        url=f"{base_url}{data['path']}" if data.get("path") else base_url,
        facts=_facts(data),
        data=_machine(held),
    )


def _together(group: Sequence[Held], batch: str, base_url: str) -> Message:
    entries = [
        Entry(TYPES[each.type].title if each.type in TYPES else each.type, each.subject, each.body)
        for each in group
    ]
    subject, text = combined(entries)
    worst = min((_severity(each) for each in group), key=_SEVERITIES.index)
    first = group[0]
    return Message(
        id=f"{batch}.{first.edition}",
        type="digest",
        title="Notifications",
        severity=worst,
        subject=subject,
        text=text,
        to=first.recipient,
        at=max(each.created_at for each in group),
        url=base_url,
        data={"notifications": [_machine(each) | {"subject": each.subject} for each in group]},
    )


def _severity(held: Held) -> str:
    kind = TYPES.get(held.type)
    return kind.severity if kind is not None and kind.severity in _SEVERITIES else "info"


def _facts(data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    values = {
        **data.get("values", {}),
        **{name: data[name] for name in ("reason", "message", "instruction") if name in data},
    }
    found = [(label, str(values[name])) for name, label in _FACTS if values.get(name)]
    return tuple(found[:_MAX_FACTS])


def _machine(held: Held) -> dict[str, Any]:
    return {
        "notification_id": held.id,
        "notification_type": held.type,
        "object_type": held.object_type,
        "object_id": held.object_id,
        **{name: value for name, value in held.data.items() if name != "path"},
    }
