"""What was asked for and issued under a profile, as the profiles room wants to know before a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.lifecycle.models import Certificate
from hub.lifecycle.states import CertificateStatus
from hub.profiles.service import ProfileUse

# What may still be issued, or renewed.
_ALIVE = (
    CertificateStatus.REQUESTED.value,
    CertificateStatus.APPROVED.value,
    CertificateStatus.APPLIED.value,
    CertificateStatus.ISSUED.value,
    CertificateStatus.DOWNLOADED.value,
)
_TABLE: Any = Certificate.__table__
_ROW = _TABLE.c
_SELECT = select(
    _ROW.id,
    _ROW.status,
    _ROW.common_name,
    _ROW.dns_names,
    _ROW.ip_addresses,
    _ROW.key_type,
    _ROW.term_days,
    _ROW.organization_id,
    _ROW.not_after,
    _ROW.auto_renew,
).order_by(_ROW.id)


class CertificatesOfProfiles:
    """Reads living certificates and open requests by their profile."""

    async def under(
        self, session: AsyncSession, profile_id: int, *, after_id: int, limit: int
    ) -> Sequence[ProfileUse]:
        """Return those of one profile by id, from ``after_id`` on; successors stand for what they renewed."""
        statement = _SELECT.where(
            _ROW.profile_id == profile_id,
            _ROW.status.in_(_ALIVE),
            _ROW.renewed_by_id.is_(None),
            _ROW.id > after_id,
        ).limit(limit)
        return [_use(row) for row in await session.execute(statement)]


def _use(row: Row[*tuple[Any, ...]]) -> ProfileUse:
    names = (*row.dns_names, *row.ip_addresses)
    return ProfileUse(
        id=row.id,
        status=row.status,
        common_name=row.common_name,
        names=names or tuple(filter(None, [row.common_name])),
        key_type=row.key_type,
        term_days=row.term_days,
        organization_id=row.organization_id or 0,
        not_after=row.not_after,
        renews_itself=(row.auto_renew or {}).get("enabled"),
    )
