"""The audit log: who did what to which object, in a chain that shows any later change.

Each entry carries SHA-256 over the previous entry's hash and its own content in canonical JSON. The chain's
head is a row that is locked, read and updated as the last act of the transaction that did the deed, so the
chain has no gaps or forks however many hubs write.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.models import AuditEntry, AuditHead
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.http.principal import Principal

GENESIS = "0" * 64
_HEAD_ID = 1
_VERIFY_BATCH = 1000


async def record(
    uow: UnitOfWork,
    *,
    principal: Principal,
    action: str,
    object_type: str,
    object_id: str,
    organization_id: int | None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry to the log when ``uow`` commits.

    ``action`` is in the past tense, such as ``CertificateApproved``; ``details`` holds JSON values, never a
    secret.
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
        "details": _plain(dict(details or {})),
    }
    uow.defer(_append, entry)


async def _append(uow: UnitOfWork, entries: list[dict[str, Any]]) -> None:
    sequence, previous = await _lock_head(uow.session)
    rows = []
    for entry in entries:
        sequence += 1
        row = {**entry, "sequence": sequence, "previous_sha256": previous}
        previous = row["sha256"] = entry_hash(row)
        rows.append(row)
    await uow.session.execute(insert(AuditEntry), rows)
    await uow.session.execute(
        update(AuditHead).where(AuditHead.id == _HEAD_ID).values(sequence=sequence, sha256=previous)
    )


async def _lock_head(session: AsyncSession) -> tuple[int, str]:
    head = select(AuditHead.sequence, AuditHead.sha256).where(AuditHead.id == _HEAD_ID).with_for_update()
    row = (await session.execute(head)).first()
    if row is None:
        # The very first entry: two hubs may both find no head, and one of them inserts it.
        first = insert_for(session, AuditHead).values(id=_HEAD_ID, sequence=0, sha256=GENESIS)
        await session.execute(first.on_conflict_do_nothing())
        row = (await session.execute(head)).one()
    return row.sequence, row.sha256


def entry_hash(row: Mapping[str, Any]) -> str:
    """Return the hash of an entry: over the previous hash and the canonical JSON of everything else."""
    at: datetime = row["at"]
    content = json.dumps(
        {
            "sequence": row["sequence"],
            "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": [row["actor_kind"], row["actor_id"], row["actor_name"]],
            "action": row["action"],
            "object": [row["object_type"], row["object_id"]],
            "organization_id": row["organization_id"],
            "details": row["details"],
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
    )
    return hashlib.sha256(f"{row['previous_sha256']}\n{content}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the chain found. ``broken_at`` is the first entry that does not fit, or None."""

    entries: int
    broken_at: int | None


async def verify(session: AsyncSession) -> Verification:
    """Recompute the whole chain and compare its end with the head."""
    sequence, previous = 0, GENESIS
    while True:
        statement = (
            select(AuditEntry.__table__)
            .where(AuditEntry.sequence > sequence)
            .order_by(AuditEntry.sequence)
            .limit(_VERIFY_BATCH)
        )
        rows = (await session.execute(statement)).mappings().all()
        if not rows:
            break
        for row in rows:
            follows = row["sequence"] == sequence + 1 and row["previous_sha256"] == previous
            if not follows or row["sha256"] != entry_hash(row):  # type: ignore[arg-type]
                return Verification(sequence, sequence + 1)
            sequence, previous = row["sequence"], row["sha256"]
    head = (await session.execute(select(AuditHead.sequence, AuditHead.sha256))).first()
    at_end = (sequence, previous) == ((0, GENESIS) if head is None else (head.sequence, head.sha256))
    return Verification(sequence, None if at_end else sequence + 1)


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON that reads back the same from every database."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [_plain(item) for item in items]
    if value is None or isinstance(value, bool | int):
        return value
    # PostgreSQL's JSON has no NUL, and writes floats in its own way.
    return str(value).replace("\x00", "\N{REPLACEMENT CHARACTER}")
