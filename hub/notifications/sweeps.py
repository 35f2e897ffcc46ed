"""Types driven by time: ends that come near, and agents that stay away.

For each term of a rule ("14 days before") the sweep remembers the date up to which it has looked. A sweep
reads only what came into the term since the last one, by an index on the date; a new rule begins with what is
already inside. Something that is inside several terms at once is told of for the shortest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from hub.db.uow import Database, UnitOfWork
from hub.db.upsert import insert_for
from hub.notifications.catalog import DEFAULT_MINUTES, TYPES, NotificationType, Timing
from hub.notifications.models import Notification, NotificationSweep
from hub.notifications.objects import describe
from hub.notifications.planning import Occurrence, Settings, World, load_world, plan
from hub.notifications.queue import enqueue
from hub.notifications.rules import Rule
from hub.notifications.tables import AGENTS, AUTHORITIES, CERTIFICATES, ORGANIZATIONS, VALIDATIONS

SWEEP_S = 300.0
_BATCH = 500
_DAY_MINUTES = 24 * 60

_renewed = CERTIFICATES.alias("renewed")
_HELD = ("Issued", "Downloaded")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a type's dates are: the table, its id and date, and which rows count."""

    id: Any
    date: Any
    organization_id: Any
    counts: ColumnElement[bool]
    reads_id: Callable[[str], Any] = int


SOURCES: Mapping[str, Source] = {
    "certificate_expiring": Source(
        CERTIFICATES.c.id,
        CERTIFICATES.c.not_after,
        CERTIFICATES.c.organization_id,
        and_(
            CERTIFICATES.c.status.in_((*_HELD, "External")),
            # Renewed: its successor is what people have to look after.
            ~exists(
                select(_renewed.c.id).where(
                    _renewed.c.id == CERTIFICATES.c.renewed_by_id, _renewed.c.status.in_(_HELD)
                )
            ),
        ),
    ),
    "agent_certificate_expiring": Source(
        AGENTS.c.id,
        AGENTS.c.certificate_not_after,
        AGENTS.c.organization_id,
        AGENTS.c.status == "active",
        str,
    ),
    "dcv_expiring": Source(
        VALIDATIONS.c.id,
        VALIDATIONS.c.expires_at,
        VALIDATIONS.c.organization_id,
        VALIDATIONS.c.state.in_(("validated", "expiring")),
    ),
    "organization_validation_expiring": Source(
        ORGANIZATIONS.c.id,
        ORGANIZATIONS.c.validation_expires_at,
        ORGANIZATIONS.c.id,
        ORGANIZATIONS.c.validation == "validated",
    ),
    "ca_expiring": Source(AUTHORITIES.c.id, AUTHORITIES.c.not_after, None, AUTHORITIES.c.id.is_not(None)),
    "ca_trial_ending": Source(
        AUTHORITIES.c.id,
        AUTHORITIES.c.trial_until,
        None,
        and_(AUTHORITIES.c.trial_until.is_not(None), AUTHORITIES.c.retired_at.is_(None)),
    ),
}
"""Type -> its dates. Types that warn of an end have a line here."""


@dataclass(frozen=True, slots=True)
class _Through:
    at: datetime
    id: str


class Sweeps:
    """Looks at dates, now and then. Several replicas may: the same is never queued twice."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings

    async def run_once(self) -> int:
        """Queue what has come due and return how many messages that made."""
        async with self._db.read() as session:
            world = await load_world(session, self._settings)
        made = 0
        for rule in world.rules:
            kind = TYPES.get(rule.fields.type)
            if kind is not None and kind.timing is Timing.BEFORE:
                made += await self._before(world, rule, kind)
            elif kind is not None and kind.timing is Timing.AFTER:
                made += await self._absent(world, rule, kind)
        return made

    async def _before(self, world: World, rule: Rule, kind: NotificationType) -> int:
        made = 0
        shorter = 0
        for days in rule.terms(kind):
            while True:
                count, more = await self._term(world, rule, kind, days, shorter)
                made += count
                if not more:
                    break
            shorter = days
        if kind.name == "certificate_expiring" and shorter:
            made += await self._found(world, rule, kind)
        return made

    async def _found(self, world: World, rule: Rule, kind: NotificationType) -> int:
        """Look at certificates that were found or imported since, and are inside a term already."""
        now = self._db.clock()
        c = CERTIFICATES.c
        terms = rule.terms(kind)
        async with self._db.read() as session:
            newest = (await session.execute(select(func.max(c.id)))).scalar() or 0
            through = await _through(session, rule, 0)
            last = newest if through is None else int(through.id)
            statement = (
                select(c.id, c.not_after.label("date"))
                .where(c.id > last, c.id <= newest, c.status == "External")
                .where(c.not_after > now, c.not_after <= now + timedelta(days=terms[-1]))
                .order_by(c.id)
                .limit(_BATCH)
            )
            if rule.fields.organization_id is not None:
                statement = statement.where(c.organization_id == rule.fields.organization_id)
            rows = (await session.execute(statement)).all()
            occurrences = [
                Occurrence(
                    kind=kind,
                    object_id=str(row.id),
                    key=f"{_term_of(row.date, terms, now)}d:{row.date.isoformat()}",
                    at=now,
                    data={},
                    rule=rule,
                )
                for row in rows
            ]
            planned = await plan(session, world, occurrences, now)
        reached = rows[-1].id if len(rows) == _BATCH else newest
        async with self._db.write() as uow:
            made = await enqueue(uow, planned)
            await _remember(uow, rule, 0, _Through(now, str(reached)))
        return made

    async def _term(
        self, world: World, rule: Rule, kind: NotificationType, days: int, shorter: int
    ) -> tuple[int, bool]:
        """Look at one term, at most a batch; return how many messages it made and whether there is more."""
        now = self._db.clock()
        source = SOURCES[kind.name]
        until = now + timedelta(days=days)
        async with self._db.read() as session:
            through = await _through(session, rule, days) or _Through(now + timedelta(days=shorter), "")
            rows = (await session.execute(_range(source, rule, through, until))).all()
            facts = await describe(session, kind.object_type, [str(row.id) for row in rows], now)
            occurrences = [
                Occurrence(
                    kind=kind,
                    object_id=str(row.id),
                    key=f"{days}d:{row.date.isoformat()}",
                    at=now,
                    data={},
                    facts=facts[str(row.id)],
                    rule=rule,
                )
                for row in rows
                # What a shorter term covers by now is that one's.
                if str(row.id) in facts and row.date > now + timedelta(days=shorter)
            ]
            planned = await plan(session, world, occurrences, now)
        full = len(rows) == _BATCH
        reached = _Through(rows[-1].date, str(rows[-1].id)) if full else _Through(until, "")
        async with self._db.write() as uow:
            made = await enqueue(uow, planned)
            await _remember(uow, rule, days, reached)
        return made, full

    async def _absent(self, world: World, rule: Rule, kind: NotificationType) -> int:
        """Tell of agents that have been away for longer than the rule allows, once an absence."""
        now = self._db.clock()
        c, n = AGENTS.c, Notification
        minutes = rule.fields.minutes or DEFAULT_MINUTES
        told = select(n.id).where(
            n.object_type == "agent",
            n.object_id == c.id,
            n.type == kind.name,
            n.rule_id == rule.id,
            n.created_at > c.last_seen_at,
        )
        away = select(c.id, c.last_seen_at).where(
            c.status == "active",
            c.session_id.is_(None),
            c.last_seen_at <= now - timedelta(minutes=minutes),
            ~exists(told),
        )
        if rule.fields.organization_id is not None:
            away = away.where(c.organization_id == rule.fields.organization_id)
        async with self._db.read() as session:
            rows = (await session.execute(away.order_by(c.last_seen_at))).all()
            occurrences = [
                Occurrence(
                    kind=kind,
                    object_id=row.id,
                    key=f"away:{row.last_seen_at.isoformat()}",
                    at=now,
                    data={},
                    rule=rule,
                )
                for row in rows
            ]
            planned = await plan(session, world, occurrences, now)
        async with self._db.write() as uow:
            return await enqueue(uow, planned)


def _term_of(date: datetime, terms: Sequence[int], now: datetime) -> int:
    return min(days for days in terms if date <= now + timedelta(days=days))


def _range(source: Source, rule: Rule, through: _Through, until: datetime) -> Select[Any]:
    statement = (
        select(source.id.label("id"), source.date.label("date"))
        .where(source.counts, _beyond(source, through), source.date <= until)
        .order_by(source.date, source.id)
        .limit(_BATCH)
    )
    if rule.fields.organization_id is not None and source.organization_id is not None:
        statement = statement.where(source.organization_id == rule.fields.organization_id)
    return statement


def _beyond(source: Source, through: _Through) -> ColumnElement[bool]:
    after: ColumnElement[bool] = source.date > through.at
    if not through.id:
        return after
    # Many may end in the same second; the plain comparison lets the index be used.
    here = and_(source.date == through.at, source.id > source.reads_id(through.id))
    return and_(source.date >= through.at, or_(after, here))


async def _through(session: Any, rule: Rule, days: int) -> _Through | None:
    s = NotificationSweep
    row = (
        await session.execute(
            select(s.through, s.through_id).where(s.rule_id == rule.id, s.term_minutes == days * _DAY_MINUTES)
        )
    ).one_or_none()
    return None if row is None else _Through(row.through, row.through_id)


async def _remember(uow: UnitOfWork, rule: Rule, days: int, reached: _Through) -> None:
    statement = insert_for(uow.session, NotificationSweep).values(
        rule_id=rule.id, term_minutes=days * _DAY_MINUTES, through=reached.at, through_id=reached.id
    )
    await uow.session.execute(
        statement.on_conflict_do_update(
            index_elements=["rule_id", "term_minutes"],
            set_={"through": statement.excluded.through, "through_id": statement.excluded.through_id},
        )
    )
