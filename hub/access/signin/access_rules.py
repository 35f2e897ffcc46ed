"""Access rules: the networks from which administrators may sign in and work.

There are three lists: for everybody, for MRAOs, and for RAOs and DRAOs. An empty list limits nobody; where a
list has networks, an address has to be in one of them, and in every list that concerns the administrator.
Rules count at each sign-in and at each request of a session or API token.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.signin.errors import AddressNotAllowed, RuleLocksYouOut
from hub.access.signin.models import AccessRule
from hub.db.errors import Malformed
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal, Role, RoleGrant

# How long another replica may go on with the rules of before.
_CACHE_S = 2.0

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Audience(StrEnum):
    """Whom a rule concerns."""

    ALL = "all"
    MRAO = "mrao"
    RAO_DRAO = "rao_drao"


@dataclass(frozen=True, slots=True)
class Rule:
    """One network that an audience may come from."""

    applies_to: Audience
    network: Network
    note: str = ""


def parse_network(text: str) -> Network:
    """Read ``192.0.2.0/24`` or a single address.

    Raises:
        Malformed: it is no network, or has bits set beyond its prefix.
    """
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise Malformed(f"{text[:64]!r} is no network: {error}", field="rules") from None


def audiences_of(grants: Iterable[RoleGrant]) -> frozenset[Audience]:
    """Return the lists that concern somebody with these roles; whoever is an MRAO counts as one."""
    roles = {grant.role for grant in grants}
    own = Audience.MRAO if Role.MRAO in roles else Audience.RAO_DRAO
    return frozenset({Audience.ALL, own}) if roles else frozenset({Audience.ALL})


def is_allowed(rules: Sequence[Rule], address: str, audiences: frozenset[Audience]) -> bool:
    """Whether ``address`` is in a network of each list that concerns these audiences and is not empty."""
    parsed = _address(address)
    for audience in audiences:
        networks = [rule.network for rule in rules if rule.applies_to is audience]
        if networks and (parsed is None or not any(parsed in network for network in networks)):
            return False
    return True


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 callers as ::ffff:192.0.2.1.
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


class AccessRules:
    """The rules in force."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._cached: tuple[Rule, ...] = ()
        self._read_at_s = -_CACHE_S
        self._reading = asyncio.Lock()

    async def admit(self, principal: Principal, address: str) -> None:
        """Do nothing if ``principal`` may come from ``address``.

        Raises:
            AddressNotAllowed: a rule that concerns them does not name the address.
        """
        await self.check(address, audiences_of(principal.grants))

    async def check(self, address: str, audiences: frozenset[Audience]) -> None:
        """Do nothing if these audiences may come from ``address``; raises ``AddressNotAllowed``."""
        rules = await self._current()
        if rules and not is_allowed(rules, address, audiences):
            raise AddressNotAllowed(f"access rules don't allow the address {address}")

    async def _current(self) -> tuple[Rule, ...]:
        if self._is_old():
            # One request reads for all that wait.
            async with self._reading:
                if self._is_old():
                    async with self._db.read() as session:
                        self._cached = tuple(await load(session))
                    self._read_at_s = time.monotonic()
        return self._cached

    def _is_old(self) -> bool:
        return time.monotonic() - self._read_at_s >= _CACHE_S

    def _forget(self) -> None:
        self._read_at_s = -_CACHE_S

    async def replace(
        self, uow: UnitOfWork, rules: Sequence[Rule], *, principal: Principal, address: str
    ) -> None:
        """Put ``rules`` in the place of all that were.

        Raises:
            RuleLocksYouOut: the MRAO who sets them could not come in again from ``address``, and so perhaps
                nobody could undo it.
        """
        if not is_allowed(rules, address, audiences_of(principal.grants)):
            raise RuleLocksYouOut(
                f"with these rules your own address {address} could not sign in any more; include it",
                field="rules",
            )
        before = [_described(rule) for rule in await load(uow.session)]
        await uow.session.execute(delete(AccessRule))
        if rules:
            await uow.session.execute(
                insert(AccessRule),
                [
                    {"applies_to": rule.applies_to.value, "network": str(rule.network), "note": rule.note}
                    for rule in rules
                ],
            )
        await audit.record(
            uow,
            principal=principal,
            action="AccessRulesChanged",
            object_type="access_rules",
            object_id="",
            organization_id=None,
            details={"before": before, "after": [_described(rule) for rule in rules]},
        )
        uow.after_commit(self._forget)


def _described(rule: Rule) -> dict[str, Any]:
    return {"applies_to": rule.applies_to.value, "network": str(rule.network), "note": rule.note}


async def load(session: AsyncSession) -> list[Rule]:
    """Return the rules, in the order in which they were given."""
    statement = select(AccessRule.applies_to, AccessRule.network, AccessRule.note).order_by(AccessRule.id)
    return [
        Rule(Audience(row.applies_to), ipaddress.ip_network(row.network), row.note)
        for row in await session.execute(statement)
    ]
