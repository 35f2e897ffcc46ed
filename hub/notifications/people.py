"""Who is told: administrators by their roles, requesters and addresses, each once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.http.principal import Role
from hub.notifications.objects import ObjectFacts
from hub.notifications.rules import Recipients, addresses_in, is_address
from hub.notifications.tables import ADMINISTRATORS, GRANTS

# What belongs to an organization and to none of its departments: a role in any of these is near enough.
_UNDIVIDED = frozenset({"agent", "domain_validation", "organization"})


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody: an administrator, perhaps with an address, or an address only."""

    administrator_id: int | None
    address: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class _Grant:
    administrator_id: int
    role: str
    organization_id: int | None
    department_id: int | None
    certificate_types: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Administrator:
    id: int
    names: frozenset[str]
    address: str
    language: str

    def recipient(self) -> Recipient:
        return Recipient(self.id, self.address, self.language)


class People:
    """The active administrators and their roles, read once for many notifications."""

    def __init__(self, administrators: Iterable[_Administrator], grants: Iterable[_Grant]) -> None:
        self._administrators = {each.id: each for each in administrators}
        self._grants = [each for each in grants if each.administrator_id in self._administrators]

    @classmethod
    async def load(cls, session: AsyncSession) -> People:
        """Read them."""
        a, g = ADMINISTRATORS.c, GRANTS.c
        administrators = [
            _Administrator(
                row.id,
                frozenset({row.username.lower(), row.name.lower()}),
                row.email if is_address(row.email) else "",
                row.locale,
            )
            for row in await session.execute(
                select(a.id, a.username, a.name, a.email, a.locale).where(a.active.is_(True))
            )
        ]
        grants = [
            _Grant(
                row.administrator_id,
                row.role,
                row.organization_id,
                row.department_id,
                frozenset(row.certificate_types),
            )
            for row in await session.execute(
                select(*(getattr(g, name) for name in _Grant.__dataclass_fields__)).order_by(
                    g.administrator_id
                )
            )
        ]
        return cls(administrators, grants)

    def recipients(self, wanted: Recipients, facts: ObjectFacts) -> list[Recipient]:
        """Return who is to be told about an object; nobody twice."""
        found: list[Recipient] = []
        if wanted.requester:
            found += self._requester(facts)
        if wanted.external_requesters:
            found += [Recipient(None, address) for address in addresses_in(facts.external_requesters)]
        if wanted.owner:
            found += self._owners(facts)
        for role in wanted.roles:
            found += self._holding(Role(role), facts)
        found += [Recipient(None, address) for address in wanted.addresses]
        return _once(found)

    def _requester(self, facts: ObjectFacts) -> list[Recipient]:
        if facts.requester_id is not None:
            known = self._administrators.get(facts.requester_id)
            return [] if known is None else [known.recipient()]
        if is_address(facts.requester):
            return [Recipient(None, facts.requester)]
        # Some objects keep only a name; it counts while it is one administrator's.
        name = facts.requester.lower()
        named = [each for each in self._administrators.values() if name and name in each.names]
        return [named[0].recipient()] if len(named) == 1 else []

    def _owners(self, facts: ObjectFacts) -> list[Recipient]:
        of_department = self._holding(Role.DRAO, facts) if facts.department_id is not None else []
        return of_department or self._holding(Role.RAO, facts)

    def _holding(self, role: Role, facts: ObjectFacts) -> list[Recipient]:
        return [
            self._administrators[grant.administrator_id].recipient()
            for grant in self._grants
            if grant.role == role and _covers(grant, facts)
        ]


def _covers(grant: _Grant, facts: ObjectFacts) -> bool:
    if grant.role == Role.MRAO:
        return True
    types = grant.certificate_types
    if types and facts.certificate_type is not None and facts.certificate_type not in types:
        return False
    if facts.organization_id is None or grant.organization_id != facts.organization_id:
        return False
    if grant.role == Role.RAO or facts.object_type in _UNDIVIDED:
        return True
    return grant.department_id == facts.department_id


def _once(found: Sequence[Recipient]) -> list[Recipient]:
    # Administrators first: an address that is one of theirs is not a second person.
    administrators = {each.administrator_id: each for each in found if each.administrator_id is not None}
    known = {each.address.lower() for each in administrators.values()}
    others = {each.address.lower(): each for each in found if each.administrator_id is None}
    return [*administrators.values(), *(each for key, each in others.items() if key not in known)]
