"""Reading groups of certificates and domains from the inventory, and the year that they lead to.

A million certificates become some thousand groups in one statement: CA, profile, term, day of the end, and
the agent that has the key. Of agents, the twenty with most certificates count by themselves.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, case, cast, column, func, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.general_settings import read_general
from hub.db.base import JsonDocument
from hub.db.uow import Database
from hub.http.principal import Principal
from hub.lifecycle.models import Certificate
from hub.lifecycle.scoping import certificate_scope
from hub.organizations.dcv.clock import limit_at
from hub.organizations.dcv.models import DcvValidation
from hub.organizations.dcv.visibility import visible_validations
from hub.renewals.planning.forecast import (
    DAYS,
    DEFAULT_SHARE,
    Group,
    Load,
    Quota,
    Rule,
    TermName,
    TermOn,
    simulate,
)
from hub.renewals.planning.outlook import (
    NO_AGENT,
    OTHER_AGENTS,
    AgentForecast,
    BackendForecast,
    Forecast,
    ValidationForecast,
    backend_sentence,
    validation_sentence,
    whole_sentence,
)
from hub.renewals.planning.preview import BACKENDS, IN_SERVICE
from hub.renewals.planning.quotas import BackendQuota, read_quotas
from hub.renewals.planning.scope import AGENTS

_TOP_AGENTS = 20
_PROFILES = table("profiles", column("id"), column("trust"), column("renewal", JsonDocument))
_NO_QUOTA = BackendQuota(quota=Quota())
_CAPS: dict[str, int] = {"200": 200, "100": 100, "47": 47}
# How long validations may be reused under the terms of the same step of ballot SC-081v3.
_REUSE: dict[str, int] = {"200": 200, "100": 100, "47": 10}
_PUBLIC_TERMS: dict[int, int] = {398: 398, 200: 200, 100: 100, 10: 47}
"""Reuse limit of a date -> the longest term of a public certificate issued on that date."""
_LEAD_SHARE, _EARLY_SHARE, _EARLY_DAYS = 0.3, 0.1, 7.0


@dataclass(frozen=True, slots=True)
class _Profile:
    public: bool
    rule: Rule


Groups = dict[int | None, list[Group]]
"""Groups of certificates by CA."""
_KEPT_FOR = timedelta(minutes=10)
_KEPT_FROM = 50_000
_UNKNOWN = _Profile(public=False, rule=Rule())


class Forecaster:
    """Makes forecasts."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: dict[tuple[object, ...], tuple[datetime, Groups]] = {}

    async def forecast(
        self, principal: Principal, *, term: TermName = "current", organization_id: int | None = None
    ) -> Forecast:
        """Return the year ahead of the certificates that somebody sees, or of one organization's."""
        now = self._db.clock()
        async with self._db.read() as session:
            groups = await self._groups(session, principal, organization_id, now=now)
            quotas = await read_quotas(session)
            names = await _names(session)
            validations = await _validations(session, principal, organization_id, term=term, now=now)
        # Seconds of arithmetic for a million certificates: not in the thread that answers everybody.
        return await asyncio.to_thread(
            _assemble, groups, quotas, names, term=term, now=now, validations=validations
        )

    async def _groups(
        self, session: AsyncSession, principal: Principal, organization_id: int | None, *, now: datetime
    ) -> Groups:
        """Return the groups; of big inventories those of some minutes ago: other terms take the same."""
        key = (principal.kind == "system", principal.grants, organization_id, now.date())
        at, groups = self._kept.get(key, (now - _KEPT_FOR, {}))
        if now - at < _KEPT_FOR:
            return groups
        groups = await _groups(session, _conditions(principal, organization_id), today=now.date())
        if sum(group.count for members in groups.values() for group in members) >= _KEPT_FROM:
            self._kept = {name: kept for name, kept in self._kept.items() if now - kept[0] < _KEPT_FOR}
            self._kept[key] = (now, groups)
        return groups


def terms(term: TermName, now: datetime) -> TermOn:
    """Return what is issued when: never longer than asked about, or than public trust allows by then."""
    cap = _CAPS.get(term)

    def issued(ordered: int, public: bool, day: int) -> int:
        if cap is not None:
            return min(ordered, cap)
        return min(ordered, _PUBLIC_TERMS[limit_at(now + timedelta(days=day))]) if public else ordered

    return issued


def reuse(term: TermName, now: datetime) -> Callable[[int], int]:
    """Return for how many days a validation of some day may be reused."""
    if term in _REUSE:
        return lambda _day: _REUSE[term]
    return lambda day: limit_at(now + timedelta(days=max(0, day)))


def validation_load(
    ages: dict[int, int], reuse_on: Callable[[int], int], *, lead_days: int, days: int = DAYS
) -> list[int]:
    """Return the validations a day; ``ages`` counts domains by the day of their last one (0: today)."""
    load = [0] * days
    coming: dict[int, int] = defaultdict(int)
    for validated, count in ages.items():
        coming[max(0, validated + _again_after(reuse_on(0), lead_days))] += count
    for day in range(days):
        load[day] = coming.pop(day, 0)
        if load[day]:
            coming[day + _again_after(reuse_on(day), lead_days)] += load[day]
    return load


def _again_after(limit_days: int, lead_days: int) -> int:
    """After how many days a domain is validated again, as :mod:`hub.organizations.dcv.clock` has it."""
    lead = min(float(lead_days), limit_days * _LEAD_SHARE)
    early = min(_EARLY_DAYS, limit_days * _EARLY_SHARE)
    return max(1, int(limit_days - lead - early))


def _conditions(principal: Principal, organization_id: int | None) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = [
        Certificate.status.in_(IN_SERVICE),
        Certificate.renewed_by_id.is_(None),
        Certificate.not_after.is_not(None),
    ]
    seen = certificate_scope(principal)
    if seen is not None:
        parts.append(seen)
    if organization_id is not None:
        parts.append(Certificate.organization_id == organization_id)
    return parts


async def _groups(
    session: AsyncSession, conditions: list[ColumnElement[bool]], *, today: date
) -> dict[int | None, list[Group]]:
    """Return the groups by CA."""
    profiles = await _profiles(session)
    counted = func.count(Certificate.id)
    top = await session.execute(
        select(Certificate.key_agent_id)
        .where(*conditions, Certificate.key_agent_id.is_not(None))
        .group_by(Certificate.key_agent_id)
        .order_by(counted.desc())
        .limit(_TOP_AGENTS)
    )
    agents = list(top.scalars())
    each = (
        select(
            Certificate.backend_id,
            Certificate.profile_id,
            Certificate.term_days,
            case(
                (Certificate.key_agent_id.is_(None), NO_AGENT),
                (Certificate.key_agent_id.in_(agents), Certificate.key_agent_id),
                else_=OTHER_AGENTS,
            ).label("agent"),
            day_of(session, Certificate.not_after).label("ends_on"),
            Certificate.auto_renew["days_before"].as_integer().label("days_before"),
            Certificate.auto_renew["share"].as_float().label("share"),
        )
        .where(*conditions)
        .subquery()
    )
    rows = await session.execute(select(*each.c, func.count().label("members")).group_by(*each.c))
    found: dict[int | None, list[Group]] = defaultdict(list)
    for row in rows:
        profile = profiles.get(row.profile_id, _UNKNOWN)
        own = row.days_before is not None or row.share is not None
        rule = (
            Rule(days_before=row.days_before, share=row.share or profile.rule.share) if own else profile.rule
        )
        found[row.backend_id].append(
            Group(
                count=row.members,
                ends_on=(as_day(row.ends_on) - today).days,
                term=max(1, row.term_days),
                rule=rule,
                agent=row.agent,
                public=profile.public,
            )
        )
    return found


async def _profiles(session: AsyncSession) -> dict[int | None, _Profile]:
    rows = await session.execute(select(_PROFILES.c.id, _PROFILES.c.trust, _PROFILES.c.renewal))
    found: dict[int | None, _Profile] = {}
    for row in rows:
        policy = row.renewal or {}
        rule = Rule(days_before=policy.get("days_before"), share=policy.get("share", DEFAULT_SHARE))
        found[row.id] = _Profile(public=row.trust == "public", rule=rule)
    return found


async def _names(session: AsyncSession) -> dict[int | str | None, str]:
    backends = await session.execute(select(BACKENDS.c.id, BACKENDS.c.name))
    agents = await session.execute(select(AGENTS.c.id, AGENTS.c.name))
    names: dict[int | str | None, str] = {row.id: row.name for row in backends}
    names |= {row.id: row.name for row in agents}
    return names | {None: "No CA", NO_AGENT: "Key without agent", OTHER_AGENTS: "Other agents"}


def _assemble(
    groups: dict[int | None, list[Group]],
    quotas: dict[int, BackendQuota],
    names: dict[int | str | None, str],
    *,
    term: TermName,
    now: datetime,
    validations: ValidationForecast,
) -> Forecast:
    begins = now.date()
    by_agent: dict[str, list[int]] = defaultdict(lambda: [0] * DAYS)
    backends = []
    for backend_id, members in sorted(groups.items(), key=lambda item: item[0] or 0):
        quota = quotas.get(backend_id or 0, _NO_QUOTA)
        load = simulate(members, quota=quota.quota, term_on=terms(term, now))
        for agent, days in load.by_agent.items():
            by_agent[agent] = [a + b for a, b in zip(by_agent[agent], days, strict=True)]
        name = names.get(backend_id, f"CA {backend_id}")
        certificates = sum(group.count for group in members)
        backends.append(_backend(backend_id, name, load, quota, begins=begins, certificates=certificates))
    breaks = [item.breaks_on for item in backends if item.breaks_on is not None]
    certificates = sum(item.certificates for item in backends)
    return Forecast(
        term=term,
        begins=begins,
        days=DAYS,
        certificates=certificates,
        backends=tuple(backends),
        agents=tuple(_agent(agent, names, days) for agent, days in sorted(by_agent.items())),
        validations=validations,
        breaks_on=min(breaks, default=None),
        sentence=whole_sentence(tuple(backends), certificates),
    )


def _backend(
    backend_id: int | None, name: str, load: Load, quota: BackendQuota, *, begins: date, certificates: int
) -> BackendForecast:
    breaks_on = load.breaks_on
    return BackendForecast(
        backend_id=backend_id,
        name=name,
        quota=quota.quota,
        certificates=certificates,
        renewals=tuple(load.renewals),
        excess=tuple(load.excess),
        peak=load.renewals[load.peak_day],
        peak_day=begins + timedelta(days=load.peak_day),
        breaks_on=None if breaks_on is None else begins + timedelta(days=breaks_on),
        sentence=backend_sentence(name, load, quota.quota, begins),
        cost_cents=None if quota.cost_cents is None else quota.cost_cents * load.total,
        currency=quota.currency,
    )


def _agent(agent: str, names: dict[int | str | None, str], days: list[int]) -> AgentForecast:
    return AgentForecast(
        agent_id=agent,
        name=names.get(agent, agent),
        renewals=tuple(days),
        total=sum(days),
        peak=max(days),
    )


async def _validations(
    session: AsyncSession,
    principal: Principal,
    organization_id: int | None,
    *,
    term: TermName,
    now: datetime,
) -> ValidationForecast:
    parts: list[ColumnElement[bool]] = [
        DcvValidation.trust == "public",
        DcvValidation.validated_at.is_not(None),
    ]
    seen = visible_validations(principal, "dcv.view")
    if seen is not None:
        parts.append(seen)
    if organization_id is not None:
        parts.append(DcvValidation.organization_id == organization_id)
    each = (
        select(
            day_of(session, DcvValidation.validated_at).label("validated_on"),
            DcvValidation.renewal_method.is_(None).label("by_hand"),
        )
        .where(*parts)
        .subquery()
    )
    rows = await session.execute(select(*each.c, func.count().label("members")).group_by(*each.c))
    ages: dict[bool, dict[int, int]] = {False: defaultdict(int), True: defaultdict(int)}
    for row in rows:
        ages[bool(row.by_hand)][(as_day(row.validated_on) - now.date()).days] += row.members
    lead_days = (await read_general(session)).domain_expiry_days
    reuse_on = reuse(term, now)
    automatic, by_hand = (
        validation_load(ages[hand], reuse_on, lead_days=lead_days) for hand in (False, True)
    )
    both = [a + b for a, b in zip(automatic, by_hand, strict=True)]
    domains, by_hand_domains = sum(sum(item.values()) for item in ages.values()), sum(ages[True].values())
    return ValidationForecast(
        domains=domains,
        by_hand_domains=by_hand_domains,
        validations=tuple(both),
        by_hand=tuple(by_hand),
        peak=max(both),
        sentence=validation_sentence(domains, by_hand_domains, sum(both), max(both)),
    )


def day_of(session: AsyncSession, at: Any) -> ColumnElement[Any]:
    """Return the SQL of a time's day in UTC; SQLite gives it as text."""
    if session.get_bind().dialect.name == "postgresql":
        return func.date(func.timezone("UTC", at))
    # Stored as text in UTC: the day is its beginning.
    return func.substr(cast(at, String), 1, 10)


def as_day(value: date | str) -> date:
    """Return a day as :func:`day_of` gave it."""
    return date.fromisoformat(value) if isinstance(value, str) else value
