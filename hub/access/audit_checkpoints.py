"""Signed checkpoints of the audit log: this entry had this hash, at this time.

The hash chain shows changes within the log; its end can be cut off, or everything rewritten, by whoever owns
the database. A checkpoint is signed with a key that such a person does not have, and is copied out of the
database: into a file beside it, into the hub's own log, and to whoever asks the API. A log that no longer
agrees with a checkpoint was tampered with; with one that an administrator kept elsewhere, a cut shows too.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.audit import lock_head
from hub.access.audit_signing import is_signed, key_id_of, public_keys, signing_key
from hub.access.errors import CheckpointUnreadable
from hub.access.models import AuditCheckpoint, AuditHead
from hub.db.uow import Database, UnitOfWork
from pki.at_rest import KeyEncryptionKey

FILE_NAME = "audit-checkpoints.jsonl"
MEDIA_TYPE = "application/jsonl"
_KIND = "certwright audit checkpoint 1"
_MAX_ENTRIES = 1000
_MAX_AGE = timedelta(hours=1)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One checkpoint, with the public key that its signature is to be checked with."""

    sequence: int
    sha256: str
    at: datetime
    key_id: str
    signature: str
    public_key: bytes

    @property
    def statement(self) -> dict[str, Any]:
        """What was signed."""
        return _statement(self.sequence, self.sha256, self.at, self.key_id)

    @property
    def genuine(self) -> bool:
        """Whether the signature fits, and the key is the one that the statement names."""
        return key_id_of(self.public_key) == self.key_id and is_signed(
            self.statement, self.signature, self.public_key
        )

    def line(self) -> str:
        """Return the checkpoint as one line of JSON."""
        document = {
            **self.statement,
            "signature": self.signature,
            "public_key": base64.b64encode(self.public_key).decode(),
        }
        return json.dumps(document) + "\n"


def _statement(sequence: int, sha256: str, at: datetime, key_id: str) -> dict[str, Any]:
    return {
        "kind": _KIND,
        "sequence": sequence,
        "sha256": sha256,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "key": key_id,
    }


def parse_lines(lines: Iterable[str]) -> list[Checkpoint]:
    """Read what :meth:`Checkpoint.line` wrote.

    Raises:
        CheckpointUnreadable: a line is none of ours.
    """
    return [_parse(line, number) for number, line in enumerate(lines, 1) if line.strip()]


def _parse(line: str, number: int) -> Checkpoint:
    try:
        document = json.loads(line)
        checkpoint = Checkpoint(
            sequence=int(document["sequence"]),
            sha256=str(document["sha256"]),
            at=datetime.fromisoformat(document["at"]),
            key_id=str(document["key"]),
            signature=str(document["signature"]),
            public_key=base64.b64decode(document["public_key"], validate=True),
        )
        known = document["kind"] == _KIND
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointUnreadable(f"line {number} is not a checkpoint of the audit log") from error
    if not known:
        raise CheckpointUnreadable(f"line {number} is a statement of another kind")
    return checkpoint


async def stored_checkpoints(session: AsyncSession) -> list[Checkpoint]:
    """Return all checkpoints in the database, in the order of their entries."""
    keys = await public_keys(session)
    rows = await session.scalars(select(AuditCheckpoint).order_by(AuditCheckpoint.sequence))
    return [
        Checkpoint(
            sequence=row.sequence,
            sha256=row.sha256,
            at=row.at,
            key_id=row.key_id,
            signature=row.signature,
            public_key=keys.get(row.key_id, b""),
        )
        for row in rows
    ]


class Checkpoints:
    """Makes checkpoints. ``folder`` is where their file is kept, beside the hub's other files."""

    def __init__(self, db: Database, kek: KeyEncryptionKey, *, folder: Path) -> None:
        self._db = db
        self._kek = kek
        self._file = folder / FILE_NAME

    async def keep(self) -> Checkpoint | None:
        """Make a checkpoint if it is time: a thousand entries since the last one, or an hour."""
        async with self._db.read() as session:
            if not await self._is_due(session):
                return None
        return await self.make()

    async def make(self) -> Checkpoint | None:
        """Make a checkpoint of the log's end now; None when there is one already, or the log is empty."""
        async with self._db.write() as uow:
            made = await self._make(uow)
        if made is not None:
            _log.info(
                "audit_checkpoint",
                sequence=made.sequence,
                sha256=made.sha256,
                key=made.key_id,
                signature=made.signature,
            )
            with self._file.open("a") as file:
                file.write(made.line())
        return made

    async def _is_due(self, session: AsyncSession) -> bool:
        head: int = (await session.execute(select(AuditHead.sequence))).scalar_one_or_none() or 0
        newest = select(AuditCheckpoint.sequence, AuditCheckpoint.at)
        row = (await session.execute(newest.order_by(AuditCheckpoint.sequence.desc()).limit(1))).first()
        if row is None:
            return head > 0
        fresh = head - int(row.sequence)
        waited = bool(self._db.clock() - row.at >= _MAX_AGE)
        return fresh >= _MAX_ENTRIES or (waited and fresh > 0)

    async def _make(self, uow: UnitOfWork) -> Checkpoint | None:
        # With the head locked, another hub can't make the same checkpoint meanwhile.
        sequence, sha256 = await lock_head(uow.session)
        known = select(AuditCheckpoint.sequence).where(AuditCheckpoint.sequence == sequence)
        if sequence == 0 or (await uow.session.execute(known)).first() is not None:
            return None
        key = await signing_key(uow, self._kek)
        made = Checkpoint(
            sequence=sequence,
            sha256=sha256,
            at=uow.now,
            key_id=key.id,
            signature=key.sign(_statement(sequence, sha256, uow.now, key.id)),
            public_key=key.private.public_key().public_bytes_raw(),
        )
        await uow.session.execute(
            insert(AuditCheckpoint).values(
                sequence=sequence, sha256=sha256, at=uow.now, key_id=key.id, signature=made.signature
            )
        )
        return made
