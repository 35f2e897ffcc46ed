"""Rules at rest: created, changed and removed within what their author may reach."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.actions import CERTIFICATE_TYPES
from hub.access.policy import Target, require_object
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.notifications.catalog import Timing, type_named
from hub.notifications.digests import Digest
from hub.notifications.errors import ChannelNotFound, RuleInvalid, RuleNotFound
from hub.notifications.models import NotificationChannel, NotificationRule, NotificationSweep
from hub.notifications.places import require_place
from hub.notifications.rules import ROLES, Recipients, Rule, RuleFields, is_address
from hub.notifications.tables import PROFILES
from hub.organizations.visibility import require_types

VIEW, EDIT = "notifications.view", "notifications.edit"
_R = NotificationRule
_MAX_DAYS = 400
_MAX_MINUTES = 30 * 24 * 60
_COLUMNS = (
    _R.id,
    _R.name,
    _R.type,
    _R.enabled,
    _R.organization_id,
    _R.department_id,
    _R.certificate_types,
    _R.profile_ids,
    _R.days,
    _R.minutes,
    _R.recipients,
    _R.email,
    _R.console,
    _R.channel_ids,
    _R.digest,
)


def _rule(row: Any) -> Rule:
    values = row._asdict()
    rule_id = values.pop("id")
    for name in ("certificate_types", "profile_ids", "days", "channel_ids"):
        values[name] = tuple(values[name])
    values["recipients"] = Recipients.of(values["recipients"])
    values["digest"] = Digest(**values["digest"])
    return Rule(id=rule_id, fields=RuleFields(**values))


def _values(fields: RuleFields) -> dict[str, Any]:
    values = {name: getattr(fields, name) for name in RuleFields.__dataclass_fields__}
    for name in ("certificate_types", "profile_ids", "days", "channel_ids"):
        values[name] = list(values[name])
    values["recipients"] = fields.recipients.document()
    values["digest"] = asdict(fields.digest)
    values["name"] = fields.name.strip()
    return values


async def all_rules(session: AsyncSession, *, enabled: bool | None = None) -> list[Rule]:
    """Return rules, in the order in which they were made."""
    statement = select(*_COLUMNS).order_by(_R.id)
    if enabled is not None:
        statement = statement.where(_R.enabled.is_(enabled))
    return [_rule(row) for row in await session.execute(statement)]


async def get(session: AsyncSession, principal: Principal, rule_id: int, *, action: str = VIEW) -> Rule:
    """Return a rule that ``principal`` may do ``action`` to.

    Raises:
        RuleNotFound, Forbidden: there is none in their scope; they see it, but may not do this.
    """
    row = (await session.execute(select(*_COLUMNS).where(_R.id == rule_id))).one_or_none()
    if row is None:
        raise RuleNotFound
    _require(principal, action, row.organization_id, row.department_id)
    return _rule(row)


def _require(
    principal: Principal, action: str, organization_id: int | None, department_id: int | None
) -> None:
    target = Target(organization_id=organization_id, department_id=department_id)
    require_object(principal, action, target, absent=RuleNotFound)


async def create(uow: UnitOfWork, fields: RuleFields, *, principal: Principal) -> int:
    """Keep a new rule and return its id.

    Raises:
        RuleInvalid, TypeUnknown, ChannelNotFound: it can't be kept like this.
        RuleNotFound, Forbidden: the place is outside what ``principal`` may change.
    """
    await _check(uow.session, fields, principal)
    statement = insert(_R).values(
        **_values(fields),
        created_at=uow.now,
        created_by=principal.name,
        changed_at=uow.now,
        changed_by=principal.name,
    )
    rule_id: int = (await uow.session.execute(statement.returning(_R.id))).scalar_one()
    await _note(uow, "NotificationRuleCreated", rule_id, fields, principal)
    return rule_id


async def change(uow: UnitOfWork, rule_id: int, fields: RuleFields, *, principal: Principal) -> None:
    """Replace a rule; raises as :func:`create` does. Its dates are looked at anew."""
    await get(uow.session, principal, rule_id, action=EDIT)
    await _check(uow.session, fields, principal)
    await uow.session.execute(
        update(_R)
        .where(_R.id == rule_id)
        .values(**_values(fields), changed_at=uow.now, changed_by=principal.name)
    )
    await _forget_sweeps(uow, rule_id)
    await _note(uow, "NotificationRuleChanged", rule_id, fields, principal)


async def remove(uow: UnitOfWork, rule_id: int, *, principal: Principal) -> None:
    """Forget a rule; what it queued is sent."""
    rule = await get(uow.session, principal, rule_id, action=EDIT)
    await _forget_sweeps(uow, rule_id)
    await uow.session.execute(delete(_R).where(_R.id == rule_id))
    await _note(uow, "NotificationRuleRemoved", rule_id, rule.fields, principal)


async def _forget_sweeps(uow: UnitOfWork, rule_id: int) -> None:
    await uow.session.execute(delete(NotificationSweep).where(NotificationSweep.rule_id == rule_id))


async def _check(session: AsyncSession, fields: RuleFields, principal: Principal) -> None:
    _check_values(fields)
    place = (fields.organization_id, fields.department_id)
    await require_place(session, principal, EDIT, place)
    if fields.organization_id is not None:
        require_types(
            principal, EDIT, (fields.organization_id, fields.department_id), fields.certificate_types
        )
    await _check_profiles(session, fields)
    await _check_channels(session, fields)


def _check_values(fields: RuleFields) -> None:
    kind = type_named(fields.type)
    if not fields.name.strip():
        raise RuleInvalid("a rule needs a name", field="name")
    allowed = set(kind.recipients)
    chosen = {
        name for name in ("requester", "external_requesters", "owner") if getattr(fields.recipients, name)
    }
    if extra := sorted((chosen | set(fields.recipients.roles)) - allowed):
        raise RuleInvalid(f"{', '.join(extra)} can't be told of this type", field="recipients")
    if unknown := sorted(set(fields.recipients.roles) - set(ROLES)):
        raise RuleInvalid(f"there is no role {unknown[0]!r}", field="recipients.roles")
    if wrong := [each for each in fields.recipients.addresses if not is_address(each)]:
        raise RuleInvalid(f"{wrong[0][:100]!r} is no mail address", field="recipients.addresses")
    if not fields.recipients.anybody and not fields.channel_ids:
        raise RuleInvalid("name a recipient or a channel", field="recipients")
    if not (fields.email or fields.console or fields.channel_ids):
        raise RuleInvalid("choose how people are told", field="email")
    _check_times(fields, kind.timing)
    if set(fields.certificate_types) - CERTIFICATE_TYPES:
        raise RuleInvalid(
            f"certificate types are {', '.join(sorted(CERTIFICATE_TYPES))}", field="certificate_types"
        )


def _check_times(fields: RuleFields, timing: Timing) -> None:
    if fields.days and timing is not Timing.BEFORE:
        raise RuleInvalid("this type has no days before a date", field="days")
    if any(not 0 < day <= _MAX_DAYS for day in fields.days):
        raise RuleInvalid(f"days are 1 to {_MAX_DAYS}", field="days")
    if fields.minutes and timing is not Timing.AFTER:
        raise RuleInvalid("this type does not wait", field="minutes")
    if not 0 <= fields.minutes <= _MAX_MINUTES:
        raise RuleInvalid(f"minutes are 1 to {_MAX_MINUTES}", field="minutes")
    try:
        ZoneInfo(fields.digest.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RuleInvalid(
            f"there is no time zone {fields.digest.time_zone[:64]!r}", field="digest.time_zone"
        ) from None


async def _check_profiles(session: AsyncSession, fields: RuleFields) -> None:
    profiles = select(PROFILES.c.id).where(PROFILES.c.id.in_(fields.profile_ids))
    if len(set((await session.execute(profiles)).scalars())) != len(set(fields.profile_ids)):
        raise RuleInvalid("there is no such profile", field="profile_ids")


async def _check_channels(session: AsyncSession, fields: RuleFields) -> None:
    """Let a rule send through channels of its own place only: they show what they are told to others."""
    if not fields.channel_ids:
        return
    c = NotificationChannel
    rows = await session.execute(
        select(c.id, c.organization_id, c.department_id).where(c.id.in_(fields.channel_ids))
    )
    places = {row.id: (row.organization_id, row.department_id) for row in rows}
    own = (fields.organization_id, fields.department_id)
    fitting = {own, (fields.organization_id, None)}
    for channel_id in fields.channel_ids:
        if places.get(channel_id, (-1, -1)) not in fitting:
            raise ChannelNotFound(f"there is no channel {channel_id} for this place", field="channel_ids")


async def _note(uow: UnitOfWork, action: str, rule_id: int, fields: RuleFields, principal: Principal) -> None:
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type="notification_rule",
        object_id=str(rule_id),
        organization_id=fields.organization_id,
        department_id=fields.department_id,
        details=_values(fields),
    )
