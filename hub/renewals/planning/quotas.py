"""Quotas of CAs: what they issue at most in a period, and what a certificate costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import column, delete, insert, select, table, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.uow import Database
from hub.http.principal import Principal
from hub.renewals.planning.errors import EntryRefused, FieldFinding, QuotaNotFound, QuotaTaken
from hub.renewals.planning.fields import PERIODS, QuotaFields, quota_findings
from hub.renewals.planning.forecast import Quota
from hub.renewals.planning.models import CaQuota
from hub.renewals.planning.traces import QUOTA, note

_BACKENDS = table("ca_backends", column("id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendQuota:
    """All quotas of one CA together, and the cost of a certificate if one of them names it."""

    quota: Quota
    cost_cents: int | None = None
    currency: str = ""


class Quotas:
    """The quotas of CA backends."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, session: AsyncSession, quota_id: int) -> CaQuota:
        """Return a quota; raise QuotaNotFound."""
        row = await session.get(CaQuota, quota_id)
        if row is None:
            raise QuotaNotFound(f"there is no quota {quota_id}")
        return row

    async def create(self, principal: Principal, wanted: QuotaFields) -> int:
        """Keep a quota and return its id; raise EntryRefused or QuotaTaken."""
        async with self._db.write() as uow:
            await _check(uow.session, wanted, but=0)
            written = await uow.session.execute(
                insert(CaQuota)
                .values(**asdict(wanted), created_at=uow.now, updated_at=uow.now, created_by=principal.name)
                .returning(CaQuota.id)
            )
            quota_id = written.scalar_one()
            await note(
                uow,
                "CaQuotaCreated",
                object_type=QUOTA,
                object_id=quota_id,
                principal=principal,
                details=asdict(wanted),
            )
        return quota_id

    async def change(self, principal: Principal, quota_id: int, changes: Mapping[str, Any]) -> None:
        """Change fields of a quota; raise QuotaNotFound, EntryRefused or QuotaTaken."""
        async with self._db.write() as uow:
            before = fields_of(await self.find(uow.session, quota_id))
            wanted = replace(before, **changes)
            await _check(uow.session, wanted, but=quota_id)
            await uow.session.execute(
                update(CaQuota).where(CaQuota.id == quota_id).values(**asdict(wanted), updated_at=uow.now)
            )
            await note(
                uow,
                "CaQuotaChanged",
                object_type=QUOTA,
                object_id=quota_id,
                principal=principal,
                details=audit.changes(asdict(before), asdict(wanted)),
            )

    async def delete(self, principal: Principal, quota_id: int) -> None:
        """Remove a quota; raise QuotaNotFound."""
        async with self._db.write() as uow:
            before = fields_of(await self.find(uow.session, quota_id))
            await uow.session.execute(delete(CaQuota).where(CaQuota.id == quota_id))
            await note(
                uow,
                "CaQuotaDeleted",
                object_type=QUOTA,
                object_id=quota_id,
                principal=principal,
                details=asdict(before),
            )


def fields_of(row: CaQuota) -> QuotaFields:
    """Return what was set on a quota."""
    return QuotaFields(
        backend_id=row.backend_id,
        period=row.period,
        limit=row.limit,
        cost_cents=row.cost_cents,
        currency=row.currency,
        note=row.note,
    )


async def read_quotas(session: AsyncSession) -> dict[int, BackendQuota]:
    """Return the quotas of all backends that have one."""
    limits: dict[int, dict[str, int]] = defaultdict(dict)
    costs: dict[int, tuple[int, str]] = {}
    known = select(CaQuota).where(CaQuota.period.in_(PERIODS)).order_by(CaQuota.id)
    for row in (await session.execute(known)).scalars():
        limits[row.backend_id][row.period] = row.limit
        if row.cost_cents is not None:
            costs.setdefault(row.backend_id, (row.cost_cents, row.currency))
    return {
        backend_id: BackendQuota(
            quota=Quota(**periods),
            cost_cents=costs[backend_id][0] if backend_id in costs else None,
            currency=costs[backend_id][1] if backend_id in costs else "",
        )
        for backend_id, periods in limits.items()
    }


async def _check(session: AsyncSession, wanted: QuotaFields, *, but: int) -> None:
    findings = quota_findings(wanted)
    known = select(_BACKENDS.c.id).where(_BACKENDS.c.id == wanted.backend_id)
    if (await session.execute(known)).first() is None:
        findings.append(FieldFinding("backend_id", "BackendUnknown", "there is no such CA backend"))
    if findings:
        raise EntryRefused(tuple(findings))
    same = select(CaQuota.id).where(
        CaQuota.backend_id == wanted.backend_id, CaQuota.period == wanted.period, CaQuota.id != but
    )
    if (await session.execute(same)).first() is not None:
        raise QuotaTaken(field="period")
