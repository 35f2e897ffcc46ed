"""From what happened to messages: rules, recipients and words, for many occurrences at once.

Reads only. The same occurrence always makes the same keys, so planning twice queues once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.notifications.catalog import NotificationType
from hub.notifications.digests import batch_of, window_end
from hub.notifications.models import NotificationChannel
from hub.notifications.objects import ObjectFacts, describe, time_text
from hub.notifications.people import People, Recipient
from hub.notifications.queue import dedupe_key
from hub.notifications.rule_store import all_rules
from hub.notifications.rules import Rule
from hub.notifications.states import DeliveryState
from hub.notifications.templates import TemplateBook
from hub.notifications.templating import render_body, render_subject
from hub.notifications.variables import OF_EVENTS

CONSOLE = "console"
EMAIL = "email"
# The page of hub.lifecycle.self_service, which asks for the certificate's number and passphrase.
_SELF_SERVICE = "/self-service/ssl"
_MAX_DATA_VALUE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Something that a type tells of. ``key`` says which time it is: an event's id, or a term and a date.

    ``facts`` and ``rule`` are given where they are known already: by sweeps, each of one rule.
    """

    kind: NotificationType
    object_id: str
    key: str
    at: datetime
    data: Mapping[str, Any]
    organization_id: int | None = None
    department_id: int | None = None
    certificate_type: str | None = None
    facts: ObjectFacts | None = None
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """A configured way out, as planning sees it."""

    id: int
    kind: str
    organization_id: int | None
    department_id: int | None
    enabled: bool
    addressed: bool


@dataclass(frozen=True, slots=True)
class Way:
    """How one message goes out: through what, and to whom."""

    channel_kind: str
    channel_id: int | None
    recipient: Recipient
    suppressed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What planning looks at beside objects: read once for a batch."""

    rules: Sequence[Rule]
    people: People
    book: TemplateBook
    channels: Mapping[int, Channel]
    has_mail_server: bool
    base_url: str

    def mail_way(self, facts: ObjectFacts, recipient: Recipient) -> Way:
        """Return how mail about an object goes: the organization's own channel, everybody's, the hub's."""
        own = [each for each in self.channels.values() if each.kind == EMAIL and each.enabled]
        for place in dict.fromkeys((facts.organization_id, None)):
            for channel in own:
                if channel.organization_id == place and channel.department_id is None:
                    return Way(EMAIL, channel.id, recipient)
        return Way(EMAIL, None, recipient, "" if self.has_mail_server else "NoMailServer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What planning is told by the hub's configuration."""

    base_url: str
    has_mail_server: bool
    addressed_kinds: frozenset[str]


async def load_world(session: AsyncSession, settings: Settings) -> World:
    """Read rules, people, words and channels."""
    c = NotificationChannel
    channels = {
        row.id: Channel(
            row.id,
            row.kind,
            row.organization_id,
            row.department_id,
            row.enabled,
            row.kind in settings.addressed_kinds,
        )
        for row in await session.execute(
            select(c.id, c.kind, c.organization_id, c.department_id, c.enabled).order_by(c.id)
        )
    }
    return World(
        rules=await all_rules(session, enabled=True),
        people=await People.load(session),
        book=await TemplateBook.load(session),
        channels=channels,
        has_mail_server=settings.has_mail_server,
        base_url=settings.base_url,
    )


async def plan(
    session: AsyncSession, world: World, occurrences: Sequence[Occurrence], now: datetime
) -> list[dict[str, Any]]:
    """Return the rows of the queue for what happened."""
    facts = await _facts(session, occurrences, now)
    rows: list[dict[str, Any]] = []
    for occurrence in occurrences:
        about = occurrence.facts or facts.get((occurrence.kind.object_type, occurrence.object_id))
        about = about or _from_event(occurrence)
        if occurrence.kind.status and about.status not in occurrence.kind.status:
            continue
        rows += _messages(world, occurrence, about, now)
    return rows


async def _facts(
    session: AsyncSession, occurrences: Sequence[Occurrence], now: datetime
) -> dict[tuple[str, str], ObjectFacts]:
    wanted: dict[str, set[str]] = {}
    for occurrence in occurrences:
        if occurrence.facts is None:
            wanted.setdefault(occurrence.kind.object_type, set()).add(occurrence.object_id)
    found = {}
    for object_type, ids in wanted.items():
        for object_id, facts in (await describe(session, object_type, ids, now)).items():
            found[object_type, object_id] = facts
    return found


def _from_event(occurrence: Occurrence) -> ObjectFacts:
    """Return what the event itself tells of an object that is gone, or that no loader knows."""
    data = {name: str(value) for name, value in occurrence.data.items() if value is not None}
    return ObjectFacts(
        object_type=occurrence.kind.object_type,
        object_id=occurrence.object_id,
        path="",
        organization_id=occurrence.organization_id,
        department_id=occurrence.department_id,
        certificate_type=occurrence.certificate_type,
        status=data.get("status", ""),
        values={name: value for name, value in data.items() if name in occurrence.kind.variables},
    )


def _messages(
    world: World, occurrence: Occurrence, facts: ObjectFacts, now: datetime
) -> list[dict[str, Any]]:
    rows = []
    values = values_for(occurrence, facts, world.base_url)
    for rule in _rules_for(world, occurrence, facts):
        for way in _ways(world, rule, facts):
            words = world.book.words(
                occurrence.kind,
                organization_id=facts.organization_id,
                language=way.recipient.language,
            )
            rows.append(_row(occurrence, facts, rule, way) | _content(words, values) | _due(rule, way, now))
    return rows


def _rules_for(world: World, occurrence: Occurrence, facts: ObjectFacts) -> Iterable[Rule]:
    rules = [occurrence.rule] if occurrence.rule is not None else world.rules
    fitting = [rule for rule in rules if rule.fields.type == occurrence.kind.name and rule.matches(facts)]
    # Where two rules tell the same person, the one that tells at once counts.
    return sorted(fitting, key=lambda rule: (rule.fields.digest.every != "none", rule.id))


def _ways(world: World, rule: Rule, facts: ObjectFacts) -> list[Way]:
    own = rule.fields
    people = world.people.recipients(own.recipients, facts)
    ways: list[Way] = []
    if own.console:
        ways += [Way(CONSOLE, None, each) for each in people if each.administrator_id is not None]
    if own.email:
        ways += [world.mail_way(facts, each) for each in people if each.address]
    for channel_id in own.channel_ids:
        channel = world.channels.get(channel_id)
        if channel is None:
            continue
        disabled = "" if channel.enabled else "ChannelDisabled"
        if channel.addressed:
            ways += [Way(channel.kind, channel.id, each, disabled) for each in people if each.address]
        else:
            ways.append(Way(channel.kind, channel.id, Recipient(None, ""), disabled))
    if facts.suspended:
        return [replace(way, suppressed="Suspended") for way in ways if way.channel_kind != CONSOLE]
    return ways


def _row(occurrence: Occurrence, facts: ObjectFacts, rule: Rule, way: Way) -> dict[str, Any]:
    kind = occurrence.kind
    to_console = way.channel_kind == CONSOLE
    receiver = way.recipient.administrator_id if to_console else way.recipient.address.lower()
    is_certificate = kind.object_type == "certificate" and occurrence.object_id.isdecimal()
    return {
        # Not the channel's id where people are addressed: one mail, whichever server takes it.
        "dedupe_key": dedupe_key(
            kind.name,
            kind.object_type,
            occurrence.object_id,
            occurrence.key,
            way.channel_kind,
            "" if receiver else way.channel_id,
            receiver,
        ),
        "type": kind.name,
        "rule_id": rule.id,
        "object_type": kind.object_type,
        "object_id": occurrence.object_id,
        "certificate_id": int(occurrence.object_id) if is_certificate else None,
        "organization_id": facts.organization_id,
        "department_id": facts.department_id,
        "certificate_type": facts.certificate_type,
        "channel_kind": way.channel_kind,
        "channel_id": way.channel_id,
        "administrator_id": way.recipient.administrator_id,
        "recipient": "" if to_console else way.recipient.address,
        "data": _data(occurrence, facts),
        "attempts": 0,
        "edition": 1,
    }


def _data(occurrence: Occurrence, facts: ObjectFacts) -> dict[str, Any]:
    values = {name: value[:_MAX_DATA_VALUE] for name, value in facts.values.items() if value}
    return {
        "occurred_at": occurrence.at.isoformat(),
        "path": facts.path,
        "organization_id": facts.organization_id,
        "department_id": facts.department_id,
        "status": facts.status,
        **{name: value[:_MAX_DATA_VALUE] for name, value in _told(occurrence).items()},
        "values": values,
    }


def _told(occurrence: Occurrence) -> dict[str, str]:
    """Return what the event itself says; explanations call their message a sentence."""
    data = {"message": occurrence.data.get("sentence"), **occurrence.data}
    return {name: str(data[name]) for name in OF_EVENTS if data.get(name)}


def values_for(occurrence: Occurrence, facts: ObjectFacts, base_url: str) -> dict[str, str]:
    """Return the values that templates are filled with."""
    url = f"{base_url}{facts.path}"
    values = {
        **facts.values,
        "id": facts.object_id,
        "status": facts.status,
        "title": occurrence.kind.title,
        "occurred_at": time_text(occurrence.at),
        "url": url,
        "hub_url": base_url,
        **_told(occurrence),
    }
    if facts.object_type == "certificate":
        values["download_url"] = url
        if facts.has_passphrase:
            values["self_service_url"] = f"{base_url}{_SELF_SERVICE}"
    return values


def _content(words: tuple[str, str], values: Mapping[str, str]) -> dict[str, Any]:
    return {"subject": render_subject(words[0], values), "body": render_body(words[1], values)}


def _due(rule: Rule, way: Way, now: datetime) -> dict[str, Any]:
    state, reason = DeliveryState.QUEUED, way.suppressed
    if way.channel_kind == CONSOLE:
        # There is nothing to hand over: it is where its reader looks.
        return {
            "state": DeliveryState.SENT.value,
            "reason": "",
            "due_at": now,
            "sent_at": now,
            "created_at": now,
            "batch": "",
        }
    end = window_end(rule.fields.digest, now)
    named = f"{way.channel_kind}:{way.channel_id}:{way.recipient.address.lower()}"
    return {
        "state": (DeliveryState.SUPPRESSED if reason else state).value,
        "reason": reason,
        "due_at": end,
        "sent_at": None,
        "created_at": now,
        "batch": batch_of(rule.fields.digest, end, way=named),
    }
