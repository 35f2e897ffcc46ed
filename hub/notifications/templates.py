"""The words that count: an organization's own, or everybody's, or the built-in ones; by language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.notifications.catalog import NotificationType, type_named
from hub.notifications.models import NotificationTemplate
from hub.notifications.templating import check

_T = NotificationTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateKey:
    """Which words: of a type, for an organization or all, in a language or for everybody."""

    type: str
    organization_id: int | None = None
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRecord:
    """Words that somebody chose."""

    key: TemplateKey
    subject: str
    body: str
    changed_at: datetime
    changed_by: str


class TemplateBook:
    """All chosen words, read once for many notifications."""

    def __init__(self, records: Mapping[TemplateKey, TemplateRecord]) -> None:
        self._records = records

    @classmethod
    async def load(cls, session: AsyncSession) -> TemplateBook:
        """Read them."""
        return cls({record.key: record for record in await chosen(session)})

    def words(self, kind: NotificationType, *, organization_id: int | None, language: str) -> tuple[str, str]:
        """Return subject and text for somebody who reads ``language``."""
        for place in dict.fromkeys((organization_id, None)):
            for tongue in dict.fromkeys((language, language.partition("-")[0], "")):
                key = TemplateKey(type=kind.name, organization_id=place, language=tongue)
                if key in self._records:
                    record = self._records[key]
                    return record.subject, record.body
        return kind.subject, kind.body


async def chosen(session: AsyncSession) -> list[TemplateRecord]:
    """Return all chosen words, by type."""
    rows = await session.execute(
        select(
            _T.type, _T.organization_id, _T.language, _T.subject, _T.body, _T.changed_at, _T.changed_by
        ).order_by(_T.type, _T.organization_id, _T.language)
    )
    return [
        TemplateRecord(
            key=TemplateKey(type=row.type, organization_id=row.organization_id, language=row.language),
            subject=row.subject,
            body=row.body,
            changed_at=row.changed_at,
            changed_by=row.changed_by,
        )
        for row in rows
    ]


async def choose(uow: UnitOfWork, key: TemplateKey, *, subject: str, body: str, principal: Principal) -> None:
    """Set the words.

    Raises:
        TypeUnknown: there is no such type.
        TemplateInvalid: they name unknown variables, or are too long.
    """
    check(subject, body, type_named(key.type).variables)
    values = {"subject": subject, "body": body, "changed_at": uow.now, "changed_by": principal.name}
    changed = await uow.session.execute(update(_T).where(*_is(key)).values(**values).returning(_T.id))
    if changed.one_or_none() is None:
        await uow.session.execute(
            insert(_T).values(
                type=key.type, organization_id=key.organization_id, language=key.language, **values
            )
        )
    await _note(uow, "NotificationTemplateChanged", key, principal)


async def reset(uow: UnitOfWork, key: TemplateKey, *, principal: Principal) -> None:
    """Go back to the words that count without these; nothing happens where none were chosen."""
    type_named(key.type)
    gone = await uow.session.execute(delete(_T).where(*_is(key)).returning(_T.id))
    if gone.one_or_none() is not None:
        await _note(uow, "NotificationTemplateReset", key, principal)


def _is(key: TemplateKey) -> tuple[Any, ...]:
    place = (
        _T.organization_id.is_(None)
        if key.organization_id is None
        else _T.organization_id == key.organization_id
    )
    return (_T.type == key.type, _T.language == key.language, place)


async def _note(uow: UnitOfWork, action: str, key: TemplateKey, principal: Principal) -> None:
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type="notification_template",
        object_id=key.type,
        organization_id=key.organization_id,
        details={"language": key.language},
    )
