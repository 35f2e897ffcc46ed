"""Checks the audit log in the database: its chain, its head, archives and checkpoints against one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.audit_archives import ArchiveFile, StoredArchive, stored_archives
from hub.access.audit_chain import GENESIS, Chain, Verification, entry_document
from hub.access.audit_checkpoints import Checkpoint, stored_checkpoints
from hub.access.models import AuditEntry, AuditHead

_BATCH = 1000


async def verify(
    session: AsyncSession,
    *,
    kept: Sequence[Checkpoint] = (),
    archives: Sequence[ArchiveFile] = (),
) -> Verification:
    """Check the whole log.

    ``kept`` are checkpoints from outside the database, the only ones that show a cut of the end for certain;
    ``archives`` are files of archived entries, checked along.
    """
    stored = await stored_checkpoints(session)
    archived = await stored_archives(session)
    wanted = frozenset(item.sequence for item in (*stored, *kept))
    chain = Chain(wanted=wanted)
    _check_archives(chain, archived)
    entries = _check_files(chain, archived, archives)
    if archived:
        chain.sequence, chain.sha256 = archived[-1].last, archived[-1].sha256
    await _walk(session, chain)
    head = (await session.execute(select(AuditHead.sequence, AuditHead.sha256))).first()
    chain.end(*((0, GENESIS) if head is None else (head.sequence, head.sha256)))
    known = {item.last: item.sha256 for item in archived} | chain.hashes
    for item in stored:
        _check_checkpoint(chain, item, known, start=archived[-1].last if archived else 0)
    keys = {item.key_id for item in stored} | {item.key_id for item in archived}
    for item in kept:
        if keys and item.key_id not in keys:
            chain.fault(item.sequence, "KeyReplaced", f"no statement in the database is of key {item.key_id}")
        _check_checkpoint(chain, item, known, start=archived[-1].last if archived else 0)
    return Verification(chain.entries + entries, tuple(chain.faults))


async def _walk(session: AsyncSession, chain: Chain) -> None:
    position = chain.sequence
    below = select(AuditEntry.sequence).where(AuditEntry.sequence <= position).limit(1)
    if (await session.execute(below)).first() is not None:
        chain.fault(position, "EntryMoved", f"entries up to {position} are archived, and still there")
    while True:
        statement = (
            select(AuditEntry.__table__)
            .where(AuditEntry.sequence > position)
            .order_by(AuditEntry.sequence)
            .limit(_BATCH)
        )
        rows = (await session.execute(statement)).mappings().all()
        if not rows:
            return
        chain.walk((_document(row), row["previous_sha256"], row["sha256"]) for row in rows)
        position = rows[-1]["sequence"]


def _document(row: Any) -> dict[str, Any]:
    return entry_document(row)


def _check_archives(chain: Chain, archived: Sequence[StoredArchive]) -> None:
    last, sha256 = 0, GENESIS
    for item in archived:
        if not item.genuine:
            chain.fault(item.first, "ArchiveForged", f"the hub did not sign the archive up to {item.last}")
        if (item.first, item.previous_sha256) != (last + 1, sha256):
            chain.fault(last + 1, "ArchiveMissing", f"no archive has entries {last + 1} to {item.first - 1}")
        last, sha256 = item.last, item.sha256


def _check_files(chain: Chain, archived: Sequence[StoredArchive], files: Sequence[ArchiveFile]) -> int:
    known = {item.last: item for item in archived}
    entries = 0
    for file in files:
        found = file.verify(wanted=chain.wanted)
        entries += found.entries
        chain.hashes.update(found.hashes)
        for fault in found.faults:
            chain.fault(fault.sequence, fault.reason, f"{file.path.name}: {fault.message}")
        stored = known.get(file.last)
        if stored is None or stored.file_sha256 != file.file_sha256:
            chain.fault(file.first, "ArchiveUnknown", f"{file.path.name} is not the file that was archived")
    return entries


def _check_checkpoint(chain: Chain, item: Checkpoint, known: dict[int, str], *, start: int) -> None:
    number = item.sequence
    if not item.genuine:
        chain.fault(number, "CheckpointForged", f"the checkpoint at entry {number} is not signed by the hub")
    elif number in known:
        if known[number] != item.sha256:
            message = f"entry {number} is not the one that was there at {item.at:%Y-%m-%d %H:%M} UTC"
            chain.fault(number, "CheckpointMismatch", message)
    elif number > chain.sequence:
        message = f"the log had {number} entries at {item.at:%Y-%m-%d %H:%M} UTC and ends at {chain.sequence}"
        chain.fault(number, "LogTruncated", message)
    elif number > start:
        chain.fault(number, "EntryMissing", f"entry {number}, which a checkpoint names, is missing")
