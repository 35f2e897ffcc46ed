"""The audit log's way in: who did what to which object, from where, before and after.

Each entry is chained to the one before (:mod:`hub.access.audit_chain`). The chain's head is a row that is
locked, read and updated as the last act of the transaction that did the deed, so the chain has no gaps or
forks however many hubs write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.audit_chain import GENESIS, entry_hash
from hub.access.models import AuditEntry, AuditHead
from hub.access.redaction import changes, plain
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.http.principal import Principal

__all__ = ["changes", "lock_head", "record"]

HEAD_ID = 1
# The tables, not the mapped classes: nobody needs objects of these rows.
_ENTRIES: Any = AuditEntry.__table__
_HEAD: Any = AuditHead.__table__
_ADD = insert(_ENTRIES)
_LOCK_HEAD = select(_HEAD.c.sequence, _HEAD.c.sha256).where(_HEAD.c.id == HEAD_ID).with_for_update()
_MOVE_HEAD = update(_HEAD).where(_HEAD.c.id == HEAD_ID)
_MAX_REMOTE = 45
_MAX_USER_AGENT = 200


async def record(
    uow: UnitOfWork,
    *,
    principal: Principal,
    action: str,
    object_type: str,
    object_id: str,
    organization_id: int | None,
    department_id: int | None = None,
    certificate_type: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry to the log when ``uow`` commits.

    ``action`` is in the past tense, such as ``CertificateApproved``; organization, department and certificate
    type decide who may read the entry. ``details`` holds JSON values, for changes those of :func:`changes`;
    secrets are taken out by their names. From where comes with the principal.
    """
    entry = {
        "at": uow.now,
        "actor_kind": principal.kind,
        "actor_id": principal.id,
        "actor_name": principal.name,
        "action": action,
        "object_type": object_type,
        "object_id": object_id,
        "organization_id": organization_id,
        "department_id": department_id,
        "certificate_type": certificate_type,
        "remote": plain(principal.origin.remote[:_MAX_REMOTE]),
        "user_agent": plain(principal.origin.user_agent[:_MAX_USER_AGENT]),
        "details": plain(dict(details or {})),
    }
    uow.defer(_append, entry)


async def _append(uow: UnitOfWork, entries: list[dict[str, Any]]) -> None:
    sequence, previous = await lock_head(uow.session)
    rows = []
    for entry in entries:
        sequence += 1
        row = {**entry, "sequence": sequence, "previous_sha256": previous}
        previous = row["sha256"] = entry_hash(row)
        rows.append(row)
    await uow.session.execute(_ADD, rows)
    await uow.session.execute(_MOVE_HEAD, {"sequence": sequence, "sha256": previous})


async def lock_head(session: AsyncSession) -> tuple[int, str]:
    """Return number and hash of the last entry; nobody else adds one before the transaction's end."""
    row = (await session.execute(_LOCK_HEAD)).first()
    if row is None:
        # The very first entry: two hubs may both find no head, and one of them inserts it.
        first = insert_for(session, AuditHead).values(id=HEAD_ID, sequence=0, sha256=GENESIS)
        await session.execute(first.on_conflict_do_nothing())
        row = (await session.execute(_LOCK_HEAD)).one()
    return row.sequence, row.sha256
