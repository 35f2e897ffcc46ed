"""Archives of the audit log: old entries move into a signed file, and the chain goes on from its end.

A file is JSON lines: a signed header with the first and last entry and the hashes before and after, then the
entries. The hash of the last entry covers all of them, so the header's signature does too. The database keeps
a signed row of each archive, which is where verification begins.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.audit_chain import GENESIS, Chain, entry_document
from hub.access.audit_signing import SigningKey, is_signed, key_id_of, public_keys, signing_key
from hub.access.errors import ArchiveUnreadable, AuditDamaged, NothingToArchive
from hub.access.models import AuditArchive, AuditEntry
from hub.db.append_only import growing_only_lifted
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from pki.at_rest import KeyEncryptionKey

_KIND = "certwright audit archive 1"
_BATCH = 1000
_SIGNED = ("kind", "first", "last", "previous_sha256", "sha256", "at", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArchive:
    """What the database knows of an archive."""

    first: int
    last: int
    previous_sha256: str
    sha256: str
    file_sha256: str
    key_id: str
    genuine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    first: int
    last: int
    previous_sha256: str
    sha256: str

    def statement(self, at: datetime, key_id: str) -> dict[str, Any]:
        return {
            "kind": _KIND,
            "first": self.first,
            "last": self.last,
            "previous_sha256": self.previous_sha256,
            "sha256": self.sha256,
            "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
            "key": key_id,
        }


async def stored_archives(session: AsyncSession) -> list[StoredArchive]:
    """Return all archives, oldest first."""
    keys = await public_keys(session)
    rows = await session.scalars(select(AuditArchive).order_by(AuditArchive.last))
    return [_stored(row, keys.get(row.key_id, b"")) for row in rows]


def _stored(row: AuditArchive, public_key: bytes) -> StoredArchive:
    part = _Part(first=row.first, last=row.last, previous_sha256=row.previous_sha256, sha256=row.sha256)
    genuine = key_id_of(public_key) == row.key_id and is_signed(
        part.statement(row.at, row.key_id), row.signature, public_key
    )
    return StoredArchive(
        first=row.first,
        last=row.last,
        previous_sha256=row.previous_sha256,
        sha256=row.sha256,
        file_sha256=row.file_sha256,
        key_id=row.key_id,
        genuine=genuine,
    )


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """An archive as a file, its header read."""

    path: Path
    header: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> ArchiveFile:
        """Read the header of an archive.

        Raises:
            ArchiveUnreadable: the file is none.
            OSError: it can't be read.
        """
        with path.open() as file:
            try:
                header = json.loads(file.readline())
            except ValueError:
                header = None
        whole = isinstance(header, dict) and {*_SIGNED, "signature", "public_key"} <= set(header)
        if not whole or header["kind"] != _KIND:
            raise ArchiveUnreadable(f"{path.name} is not an archive of the audit log")
        return cls(path, header)

    @property
    def first(self) -> int:
        """Number of the first entry."""
        return int(self.header["first"])

    @property
    def last(self) -> int:
        """Number of the last entry."""
        return int(self.header["last"])

    @property
    def file_sha256(self) -> str:
        """SHA-256 over the whole file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def verify(self, *, wanted: frozenset[int] = frozenset()) -> Chain:
        """Walk the file's entries and return the chain with its faults."""
        chain = Chain(sequence=self.first - 1, sha256=self.header["previous_sha256"], wanted=wanted)
        statement = {name: self.header[name] for name in _SIGNED}
        public_key = base64.b64decode(self.header["public_key"])
        genuine = key_id_of(public_key) == self.header["key"]
        if not genuine or not is_signed(statement, self.header["signature"], public_key):
            chain.fault(self.first, "ArchiveForged", "its header is not signed by the hub")
        chain.walk(self._entries())
        chain.end(self.last, self.header["sha256"])
        return chain

    def _entries(self) -> Iterator[tuple[dict[str, Any], str, str]]:
        with self.path.open() as file:
            file.readline()
            for line in file:
                try:
                    document = json.loads(line)
                    yield document, document.pop("previous_sha256"), document.pop("sha256")
                except (ValueError, KeyError) as error:
                    raise ArchiveUnreadable(f"{self.path.name} has a line that is no entry") from error


class Archives:
    """Moves old entries into files."""

    def __init__(self, db: Database, kek: KeyEncryptionKey) -> None:
        self._db = db
        self._kek = kek

    async def archive(self, before: datetime, path: Path, *, principal: Principal) -> int:
        """Move all entries older than ``before`` into a new file; return how many.

        The file is on the disk before anything is deleted.

        Raises:
            NothingToArchive: no entry is that old.
            AuditDamaged: the entries don't fit together; first find out why.
            FileExistsError: there is such a file.
        """
        async with self._db.read() as session:
            part = await _part_before(session, before)
        async with self._db.write() as uow:
            key = await signing_key(uow, self._kek)
        at = self._db.clock()
        await self._write(part, path, at, key)
        async with self._db.write() as uow:
            await _remove(uow, part)
            await self._note(uow, part, ArchiveFile.open(path), at, principal=principal)
        return part.last - part.first + 1

    async def _write(self, part: _Part, path: Path, at: datetime, key: SigningKey) -> None:
        statement = part.statement(at, key.id)
        header = {
            **statement,
            "signature": key.sign(statement),
            "public_key": base64.b64encode(key.private.public_key().public_bytes_raw()).decode(),
        }
        chain = Chain(sequence=part.first - 1, sha256=part.previous_sha256)
        with path.open("x") as file:
            file.write(json.dumps(header) + "\n")
            async for document, previous, sha256 in self._entries(part):
                chain.walk([(document, previous, sha256)])
                file.write(json.dumps({**document, "previous_sha256": previous, "sha256": sha256}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        chain.end(part.last, part.sha256)
        if chain.faults:
            await asyncio.to_thread(path.unlink)
            raise AuditDamaged(f"the log is damaged: {chain.faults[0].message}")

    async def _entries(self, part: _Part) -> AsyncIterator[tuple[dict[str, Any], str, str]]:
        position = part.first - 1
        while position < part.last:
            statement = (
                select(AuditEntry.__table__)
                .where(AuditEntry.sequence > position, AuditEntry.sequence <= part.last)
                .order_by(AuditEntry.sequence)
                .limit(_BATCH)
            )
            async with self._db.read() as session:
                rows = (await session.execute(statement)).mappings().all()
            if not rows:
                return
            for row in rows:
                plain: Any = row
                yield entry_document(plain), plain["previous_sha256"], plain["sha256"]
            position = rows[-1]["sequence"]

    async def _note(
        self, uow: UnitOfWork, part: _Part, file: ArchiveFile, at: datetime, *, principal: Principal
    ) -> None:
        await uow.session.execute(
            insert(AuditArchive).values(
                first=part.first,
                last=part.last,
                previous_sha256=part.previous_sha256,
                sha256=part.sha256,
                file_sha256=file.file_sha256,
                at=at,
                key_id=file.header["key"],
                signature=file.header["signature"],
            )
        )
        await audit.record(
            uow,
            principal=principal,
            action="AuditArchived",
            object_type="audit",
            object_id=str(part.last),
            organization_id=None,
            details={"first": part.first, "last": part.last, "file_sha256": file.file_sha256},
        )


async def _part_before(session: AsyncSession, before: datetime) -> _Part:
    # Times and numbers are not in the same order to the moment: stop at the first entry that is too young.
    young = select(func.min(AuditEntry.sequence)).where(AuditEntry.at >= before)
    stop = (await session.execute(young)).scalar_one()
    older = select(AuditEntry.sequence, AuditEntry.previous_sha256, AuditEntry.sha256)
    if stop is not None:
        older = older.where(AuditEntry.sequence < stop)
    first = (await session.execute(older.order_by(AuditEntry.sequence).limit(1))).first()
    last = (await session.execute(older.order_by(AuditEntry.sequence.desc()).limit(1))).first()
    if first is None or last is None:
        raise NothingToArchive
    archived = await stored_archives(session)
    number, sha256 = (archived[-1].last, archived[-1].sha256) if archived else (0, GENESIS)
    if (first.sequence, first.previous_sha256) != (number + 1, sha256):
        raise AuditDamaged(f"entry {number + 1} is missing")
    return _Part(first=number + 1, last=last.sequence, previous_sha256=sha256, sha256=last.sha256)


async def _remove(uow: UnitOfWork, part: _Part) -> None:
    # Entries that somebody changed meanwhile would be lost unseen.
    newest = select(AuditEntry.sha256).where(AuditEntry.sequence == part.last)
    if (await uow.session.execute(newest)).scalar_one_or_none() != part.sha256:
        raise AuditDamaged("the log was changed while it was archived")
    connection = await uow.session.connection()
    async with growing_only_lifted(connection, AuditEntry.__tablename__):
        await uow.session.execute(delete(AuditEntry).where(AuditEntry.sequence <= part.last))
