"""Configured DNS writers: kept with their secrets encrypted, opened when they are needed."""

from __future__ import annotations

import json
import secrets as random_values
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.organizations.dcv.contract import DnsWriter
from hub.organizations.dcv.errors import (
    WriterInUse,
    WriterNameTaken,
    WriterNotFound,
    WriterSettingsInvalid,
)
from hub.organizations.dcv.json_post import post_json
from hub.organizations.dcv.models import DcvChallenge, DcvValidation, DcvWriter
from hub.organizations.dcv.records import WriterRecord
from hub.organizations.dcv.registry import WriterKinds, writer_kind
from hub.organizations.dcv.states import Delivery
from pki.at_rest import KeyEncryptionKey

AT_REST_PURPOSE = b"certwright dns writer settings v1\x00"
_COLUMNS = tuple(getattr(DcvWriter, name) for name in WriterRecord.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWriter:
    """A DNS writer to be configured; ``organization_id`` None: for all."""

    name: str
    kind: str
    organization_id: int | None
    settings: dict[str, Any]


class WriterStore:
    """Reads and changes the configured writers."""

    def __init__(self, kinds: WriterKinds, kek: KeyEncryptionKey) -> None:
        self.kinds = kinds
        self._kek = kek

    async def list(self, session: AsyncSession) -> Sequence[WriterRecord]:
        """Return all writers by name."""
        rows = await session.execute(select(*_COLUMNS).order_by(DcvWriter.name))
        return [WriterRecord(**row._asdict()) for row in rows]

    async def get(
        self, session: AsyncSession, writer_id: int, *, organization_id: int | None = None
    ) -> WriterRecord:
        """Return a writer, which must be good for the organization; raise WriterNotFound."""
        row = (await session.execute(select(*_COLUMNS).where(DcvWriter.id == writer_id))).one_or_none()
        if row is None or (
            organization_id is not None and row.organization_id not in {None, organization_id}
        ):
            raise WriterNotFound(f"there is no DNS writer {writer_id}", field="writer_id")
        return WriterRecord(**row._asdict())

    async def create(self, uow: UnitOfWork, new: NewWriter, *, principal: Principal) -> WriterRecord:
        """Configure a writer.

        Raises:
            WriterKindUnknown, WriterSettingsInvalid: the kind is not installed, or wants other settings.
            WriterNameTaken: there is one of this name.
        """
        kind = writer_kind(self.kinds, new.kind)
        settings = _validated(kind.settings_model, new.settings)
        uid = random_values.token_hex(16)
        hidden = {
            name: value.get_secret_value()
            for name in type(settings).model_fields
            if isinstance(value := getattr(settings, name), SecretStr)
        }
        wrapped = (
            self._kek.wrap(json.dumps(hidden).encode(), AT_REST_PURPOSE + uid.encode()) if hidden else None
        )
        try:
            async with uow.savepoint():
                writer_id = (
                    await uow.session.execute(
                        insert(DcvWriter)
                        .values(
                            uid=uid,
                            name=new.name.strip(),
                            kind=new.kind,
                            organization_id=new.organization_id,
                            settings=settings.model_dump(mode="json", exclude=set(hidden)),
                            secrets=wrapped,
                            problem="",
                            created_at=uow.now,
                        )
                        .returning(DcvWriter.id)
                    )
                ).scalar_one()
        except IntegrityError as fault:
            raise WriterNameTaken(f"there is a DNS writer named {new.name!r}", field="name") from fault
        record = await self.get(uow.session, writer_id)
        await _note(uow, "DnsWriterCreated", record, principal)
        return record

    async def remove(self, uow: UnitOfWork, writer_id: int, *, principal: Principal) -> None:
        """Forget a writer; raise WriterNotFound, or WriterInUse while domains are validated through it."""
        record = await self.get(uow.session, writer_id)
        assigned = select(DcvValidation.id).where(DcvValidation.writer_id == writer_id)
        busy = select(DcvChallenge.id).where(
            DcvChallenge.writer_id == writer_id,
            DcvChallenge.delivery.in_([Delivery.WANTED, Delivery.DONE, Delivery.REMOVAL]),
        )
        for statement in (assigned, busy):
            if (await uow.session.execute(statement.limit(1))).first() is not None:
                raise WriterInUse
        await uow.session.execute(
            update(DcvChallenge).where(DcvChallenge.writer_id == writer_id).values(writer_id=None)
        )
        await uow.session.execute(delete(DcvWriter).where(DcvWriter.id == writer_id))
        await _note(uow, "DnsWriterRemoved", record, principal)

    async def open(self, session: AsyncSession, writer_id: int) -> DnsWriter:
        """Return a writer that is ready to write.

        Raises:
            WriterNotFound, WriterKindUnknown, WriterSettingsInvalid: it, or its plug-in, is not what it was.
            WrongEncryptionKey, UnwrapError: its secrets can't be read.
        """
        row = (
            await session.execute(
                select(DcvWriter.kind, DcvWriter.uid, DcvWriter.settings, DcvWriter.secrets).where(
                    DcvWriter.id == writer_id
                )
            )
        ).one_or_none()
        if row is None:
            raise WriterNotFound(f"there is no DNS writer {writer_id}")
        kind = writer_kind(self.kinds, row.kind)
        hidden = (
            json.loads(self._kek.unwrap(row.secrets, AT_REST_PURPOSE + row.uid.encode()))
            if row.secrets
            else {}
        )
        return kind.open(_validated(kind.settings_model, row.settings | hidden), post_json)


class WriterOpener:
    """Opens configured writers for proofs that other CAs ask for. Implements ``DnsWriters``."""

    def __init__(self, db: Database, store: WriterStore) -> None:
        self._db = db
        self._store = store

    async def open(self, writer_id: int) -> DnsWriter:
        """Return a writer that is ready to write; raises as :meth:`WriterStore.open` does."""
        async with self._db.read() as session:
            return await self._store.open(session, writer_id)


def _validated(model: type[BaseModel], values: dict[str, Any]) -> BaseModel:
    try:
        return model.model_validate(values)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        field = ".".join(("settings", *(str(part) for part in first["loc"])))
        raise WriterSettingsInvalid(f"{field}: {first['msg']}", field=field) from fault


async def _note(uow: UnitOfWork, kind: str, record: WriterRecord, principal: Principal) -> None:
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type="dns_writer",
        object_id=str(record.id),
        organization_id=record.organization_id,
        details={"name": record.name, "kind": record.kind, "settings": record.settings},
    )
