"""Configured channels: kept with their secrets encrypted, opened when they are needed."""

from __future__ import annotations

import json
import secrets as random_values
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.policy import Target, require_object
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.notifications.errors import (
    ChannelInUse,
    ChannelNameTaken,
    ChannelNotFound,
    ChannelSettingsInvalid,
)
from hub.notifications.models import NotificationChannel, NotificationRule
from hub.notifications.notifiers.contract import Notifier, Tools
from hub.notifications.notifiers.registry import Kinds, notifier_kind
from hub.notifications.places import require_place
from pki.at_rest import KeyEncryptionKey

VIEW, EDIT = "notification_channels.view", "notification_channels.edit"
AT_REST_PURPOSE = b"certwright notification channel settings v1\x00"
_C = NotificationChannel


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFields:
    """What somebody decides about a channel. Secrets that ``settings`` leaves out stay as they are."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    organization_id: int | None = None
    department_id: int | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRecord:
    """A channel without its secrets."""

    id: int
    name: str
    kind: str
    organization_id: int | None
    department_id: int | None
    settings: dict[str, Any]
    enabled: bool
    problem: str
    created_at: datetime
    created_by: str
    changed_at: datetime


_COLUMNS = tuple(getattr(_C, name) for name in ChannelRecord.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class _Parts:
    shown: dict[str, Any]
    hidden: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Told:
    fields: ChannelFields
    shown: dict[str, Any]


class ChannelStore:
    """Reads and changes the configured channels."""

    def __init__(self, kinds: Kinds, kek: KeyEncryptionKey, tools: Tools) -> None:
        self.kinds = kinds
        self._kek = kek
        self._tools = tools
        # Opened once a version: a notifier may keep an access token.
        self._open: dict[int, tuple[datetime, Notifier]] = {}

    async def get(
        self, session: AsyncSession, principal: Principal, channel_id: int, *, action: str = VIEW
    ) -> ChannelRecord:
        """Return a channel; raise ChannelNotFound or Forbidden."""
        row = (await session.execute(select(*_COLUMNS).where(_C.id == channel_id))).one_or_none()
        if row is None:
            raise ChannelNotFound
        _require(principal, action, row.organization_id, row.department_id)
        return ChannelRecord(**row._asdict())

    async def create(self, uow: UnitOfWork, fields: ChannelFields, *, principal: Principal) -> int:
        """Configure a channel and return its id.

        Raises:
            ChannelKindUnknown, ChannelSettingsInvalid: the kind is not installed, or wants other settings.
            ChannelNameTaken: there is one of this name.
            NotFound, Forbidden: the place is outside what ``principal`` may change.
        """
        place = (fields.organization_id, fields.department_id)
        await require_place(uow.session, principal, EDIT, place)
        uid = random_values.token_hex(16)
        parts = self._parts(fields.kind, dict(fields.settings))
        statement = insert(_C).values(
            uid=uid,
            kind=fields.kind,
            organization_id=fields.organization_id,
            department_id=fields.department_id,
            created_at=uow.now,
            created_by=principal.name,
            **self._columns(uow, fields, parts, uid=uid),
        )
        channel_id: int = await _written(uow, statement.returning(_C.id), fields.name)
        told = _Told(fields, parts.shown)
        await _note(uow, "NotificationChannelCreated", channel_id, principal, told=told)
        return channel_id

    async def change(
        self, uow: UnitOfWork, channel_id: int, fields: ChannelFields, *, principal: Principal
    ) -> None:
        """Change name and settings; kind and place stay. Raises as :meth:`create` does."""
        before = await self.get(uow.session, principal, channel_id, action=EDIT)
        uid, hidden = await self._secrets(uow.session, channel_id)
        kept = {name: value for name, value in hidden.items() if name not in fields.settings}
        parts = self._parts(before.kind, {**fields.settings, **kept})
        statement = update(_C).where(_C.id == channel_id).values(**self._columns(uow, fields, parts, uid=uid))
        await _written(uow, statement.returning(_C.id), fields.name)
        told = _Told(replace(fields, kind=before.kind), parts.shown)
        await _note(uow, "NotificationChannelChanged", channel_id, principal, told=told)

    async def remove(self, uow: UnitOfWork, channel_id: int, *, principal: Principal) -> None:
        """Forget a channel; raise ChannelInUse while a rule sends through it."""
        record = await self.get(uow.session, principal, channel_id, action=EDIT)
        used = await uow.session.execute(select(NotificationRule.channel_ids))
        if any(channel_id in ids for ids in used.scalars()):
            raise ChannelInUse
        await uow.session.execute(delete(_C).where(_C.id == channel_id))
        fields = ChannelFields(
            name=record.name,
            kind=record.kind,
            settings={},
            organization_id=record.organization_id,
            department_id=record.department_id,
        )
        await _note(uow, "NotificationChannelRemoved", channel_id, principal, told=_Told(fields, {}))

    async def open(self, session: AsyncSession, channel_id: int) -> Notifier | None:
        """Return a notifier that is ready; None where the channel is gone or switched off.

        Raises:
            ChannelKindUnknown, ChannelSettingsInvalid: it, or its plug-in, is not what it was.
            WrongEncryptionKey, UnwrapError: its secrets can't be read.
        """
        row = (
            await session.execute(
                select(_C.kind, _C.uid, _C.settings, _C.secrets, _C.enabled, _C.changed_at).where(
                    _C.id == channel_id
                )
            )
        ).one_or_none()
        if row is None or not row.enabled:
            return None
        known = self._open.get(channel_id)
        if known is not None and known[0] == row.changed_at:
            return known[1]
        kind = notifier_kind(self.kinds, row.kind)
        settings = _validated(kind.settings_model, row.settings | self._unwrapped(row.uid, row.secrets))
        notifier = kind.open(settings, self._tools)
        self._open[channel_id] = (row.changed_at, notifier)
        return notifier

    async def set_problem(self, uow: UnitOfWork, channel_id: int, problem: str) -> None:
        """Note why messages don't get through, or that they do again."""
        await uow.session.execute(
            update(_C).where(_C.id == channel_id, _C.problem != problem[:500]).values(problem=problem[:500])
        )

    def _parts(self, kind_name: str, values: dict[str, Any]) -> _Parts:
        settings = _validated(notifier_kind(self.kinds, kind_name).settings_model, values)
        hidden = {
            name: value.get_secret_value()
            for name in type(settings).model_fields
            if isinstance(value := getattr(settings, name), SecretStr)
        }
        return _Parts(settings.model_dump(mode="json", exclude=set(hidden)), hidden)

    def _columns(self, uow: UnitOfWork, fields: ChannelFields, parts: _Parts, *, uid: str) -> dict[str, Any]:
        wrapped = None
        if parts.hidden:
            wrapped = self._kek.wrap(json.dumps(parts.hidden).encode(), AT_REST_PURPOSE + uid.encode())
        return {
            "name": fields.name.strip(),
            "settings": parts.shown,
            "secrets": wrapped,
            "enabled": fields.enabled,
            "changed_at": uow.now,
            "problem": "",
        }

    async def _secrets(self, session: AsyncSession, channel_id: int) -> tuple[str, dict[str, str]]:
        row = (await session.execute(select(_C.uid, _C.secrets).where(_C.id == channel_id))).one()
        return row.uid, self._unwrapped(row.uid, row.secrets)

    def _unwrapped(self, uid: str, wrapped: bytes | None) -> dict[str, str]:
        if wrapped is None:
            return {}
        found: dict[str, str] = json.loads(self._kek.unwrap(wrapped, AT_REST_PURPOSE + uid.encode()))
        return found


def _require(
    principal: Principal, action: str, organization_id: int | None, department_id: int | None
) -> None:
    target = Target(organization_id=organization_id, department_id=department_id)
    require_object(principal, action, target, absent=ChannelNotFound)


def _validated(model: type[BaseModel], values: dict[str, Any]) -> BaseModel:
    try:
        return model.model_validate(values)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        field = ".".join(("settings", *(str(part) for part in first["loc"])))
        raise ChannelSettingsInvalid(f"{field}: {first['msg']}", field=field) from fault


async def _written(uow: UnitOfWork, statement: Any, name: str) -> int:
    try:
        async with uow.savepoint():
            channel_id: int = (await uow.session.execute(statement)).scalar_one()
    except IntegrityError as fault:
        raise ChannelNameTaken(f"there is a channel named {name!r}", field="name") from fault
    return channel_id


async def _note(uow: UnitOfWork, action: str, channel_id: int, principal: Principal, *, told: _Told) -> None:
    fields = told.fields
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type="notification_channel",
        object_id=str(channel_id),
        organization_id=fields.organization_id,
        department_id=fields.department_id,
        details={"name": fields.name, "kind": fields.kind, "settings": told.shown},
    )
