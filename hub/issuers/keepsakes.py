"""What backends remember between orders, such as the key of their account at a CA: encrypted.

Every value is bound to its backend and name, so that none can be put in another's place.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from hub.db.uow import Database
from hub.issuers.models import CaKeepsake
from pki.at_rest import KeyEncryptionKey

_PURPOSE = b"certwright ca backend keepsake v1\x00"


def at_rest_purpose(backend_id: int, name: str) -> bytes:
    """Return what a value is encrypted for."""
    return _PURPOSE + f"{backend_id} {name}".encode()


class KeepsakeStore:
    """Implements :class:`hub.issuers.contract.Keepsakes` for one backend, a transaction a call."""

    def __init__(self, db: Database, kek: KeyEncryptionKey, *, backend_id: int) -> None:
        self._db = db
        self._kek = kek
        self._backend_id = backend_id

    async def get(self, name: str) -> bytes | None:
        """Return what is kept under a name. Raises WrongEncryptionKey, UnwrapError: it can't be read."""
        async with self._db.read() as session:
            locked = (
                await session.execute(select(CaKeepsake.locked).where(*self._at(name)))
            ).scalar_one_or_none()
        return None if locked is None else self._unlock(name, locked)

    async def put_if_absent(self, name: str, value: bytes) -> bytes:
        """Keep a value unless there is one; return the one that is kept."""
        locked = self._lock(name, value)
        try:
            async with self._db.write() as uow:
                await uow.session.execute(
                    insert(CaKeepsake).values(
                        backend_id=self._backend_id, name=name, locked=locked, revision=1, kept_at=uow.now
                    )
                )
        except IntegrityError:
            kept = await self.get(name)
            return value if kept is None else kept
        return value

    async def swap(self, name: str, old: bytes, new: bytes) -> bool:
        """Replace a value if it is still the old one; return whether it was."""
        async with self._db.write() as uow:
            found = (
                await uow.session.execute(
                    select(CaKeepsake.locked, CaKeepsake.revision).where(*self._at(name))
                )
            ).one_or_none()
            if found is None or self._unlock(name, found.locked) != old:
                return False
            changed = await uow.session.execute(
                update(CaKeepsake)
                .where(*self._at(name), CaKeepsake.revision == found.revision)
                .values(locked=self._lock(name, new), revision=found.revision + 1)
                .returning(CaKeepsake.revision)
            )
            return changed.first() is not None

    async def under(self, prefix: str) -> dict[str, bytes]:
        """Return everything whose name begins with ``prefix``."""
        async with self._db.read() as session:
            rows = await session.execute(
                select(CaKeepsake.name, CaKeepsake.locked).where(
                    CaKeepsake.backend_id == self._backend_id,
                    CaKeepsake.name.startswith(prefix, autoescape=True),
                )
            )
            found = rows.all()
        return {row.name: self._unlock(row.name, row.locked) for row in found}

    async def count_since(self, prefix: str, since: datetime) -> int:
        """Return how many of these names were first kept at or after a time."""
        statement = select(func.count()).where(
            CaKeepsake.backend_id == self._backend_id,
            CaKeepsake.name.startswith(prefix, autoescape=True),
            CaKeepsake.kept_at >= since,
        )
        async with self._db.read() as session:
            return int((await session.execute(statement)).scalar_one())

    async def drop_before(self, prefix: str, before: datetime) -> None:
        """Forget those that were first kept before a time."""
        async with self._db.write() as uow:
            await uow.session.execute(
                delete(CaKeepsake).where(
                    CaKeepsake.backend_id == self._backend_id,
                    CaKeepsake.name.startswith(prefix, autoescape=True),
                    CaKeepsake.kept_at < before,
                )
            )

    def _at(self, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return (CaKeepsake.backend_id == self._backend_id, CaKeepsake.name == name)

    def _lock(self, name: str, value: bytes) -> bytes:
        return self._kek.wrap(value, at_rest_purpose(self._backend_id, name))

    def _unlock(self, name: str, locked: bytes) -> bytes:
        return self._kek.unwrap(locked, at_rest_purpose(self._backend_id, name))
