"""Rules as values: which objects one is for, and who its recipients are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from hub.notifications.catalog import NotificationType, Timing
from hub.notifications.digests import Digest
from hub.notifications.objects import ObjectFacts

ROLES = ("MRAO", "RAO", "DRAO")
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """Who is told. The owner is who is in charge: the DRAOs of the department, else the RAOs."""

    requester: bool = False
    external_requesters: bool = False
    owner: bool = False
    roles: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Recipients:
        """Read them as they are stored."""
        values = {each.name: document[each.name] for each in fields(cls) if each.name in document}
        for name in ("roles", "addresses"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)

    def document(self) -> dict[str, Any]:
        """Return them as they are stored."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @property
    def anybody(self) -> bool:
        """Whether anybody is named at all."""
        return bool(self.requester or self.external_requesters or self.owner or self.roles or self.addresses)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFields:
    """What somebody decides about a rule."""

    name: str
    type: str
    recipients: Recipients
    enabled: bool = True
    organization_id: int | None = None
    department_id: int | None = None
    certificate_types: tuple[str, ...] = ()
    profile_ids: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    minutes: int = 0
    email: bool = True
    console: bool = True
    channel_ids: tuple[int, ...] = ()
    digest: Digest = field(default_factory=Digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that is kept."""

    id: int
    fields: RuleFields

    def matches(self, facts: ObjectFacts) -> bool:
        """Whether the rule is for an object."""
        own = self.fields
        return (
            own.organization_id in {None, facts.organization_id}
            and own.department_id in {None, facts.department_id}
            and (not own.certificate_types or facts.certificate_type in own.certificate_types)
            and (not own.profile_ids or facts.profile_id in own.profile_ids)
        )

    def terms(self, kind: NotificationType) -> tuple[int, ...]:
        """Return the days before, the fewest first."""
        return tuple(sorted(set(self.fields.days or kind.days))) if kind.timing is Timing.BEFORE else ()


def is_address(text: str) -> bool:
    """Whether ``text`` is a plain mail address: nothing that could become a second header or recipient."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None and ".." not in text


def addresses_in(text: str) -> tuple[str, ...]:
    """Return the mail addresses in a text where people separated them somehow."""
    return tuple(part for part in re.split(r"[\s,;]+", text) if is_address(part))
