"""Imports as jobs: taken at once, worked on in the background, visible all the time.

The archive is never stored, as it may hold private keys; it lives in the memory of the hub that took it. An
import whose hub dies therefore ends as Failed, and keeps what was done: sending the archive again does the
rest, as certificates that are there already are known.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import insert, select, update

from hub.access import audit
from hub.db.errors import HubError, RateLimited
from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import SYSTEM, Principal
from hub.lifecycle.importing.archive import Archive, shown_name
from hub.lifecycle.importing.models import CertificateImport
from hub.lifecycle.importing.reading import Reader
from hub.lifecycle.importing.recording import FileResult, Owner, Written, record_batch
from hub.lifecycle.ports import Rooms
from hub.lifecycle.requesters import administrator_id
from hub.lifecycle.scoping import CERTIFICATE_TYPE, may_act, no_such_organization

OBJECT_TYPE = "certificate_import"
WAITING, RUNNING, FINISHED, FAILED = "Waiting", "Running", "Finished", "Failed"
MAX_WAITING = 4
# A hub that is at work says so at least once a minute.
ABANDONED_AFTER = timedelta(minutes=5)
MAX_DURATION = timedelta(minutes=30)
INTERRUPTED = "the hub that read the archive was stopped; send it again for the rest"

_TABLE: Any = CertificateImport.__table__
_log = structlog.get_logger(__name__)


class TooManyImports(RateLimited):
    """Other archives are being imported; send this one when they are done."""

    code = "too_many_imports"


class ImportJobs:
    """Takes archives and imports them, one after the other."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self._db = db
        self._rooms = rooms
        self._turn = asyncio.Semaphore(1)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._stopping = False

    async def start(
        self, principal: Principal, owner: Owner, data: bytes, *, filename: str = "", password: str = ""
    ) -> int:
        """Take an archive for an organization or department and return the import's id.

        Raises:
            RequestRefused: there is no such organization within the caller's scope.
            DepartmentNotFound: the organization has no such department.
            ArchiveRefused: the file is no archive, or too large.
            TooManyImports: others are waiting already.
        """
        if not may_act(principal, owner.organization_id, owner.department_id):
            raise no_such_organization()
        if len(self._tasks) >= MAX_WAITING:
            raise TooManyImports(retry_after_s=30)
        archive = await asyncio.to_thread(Archive, data)
        async with self._db.write() as uow:
            await self._check_place(uow, owner)
            import_id = await _insert(uow, principal, owner, filename=filename, files=len(archive))
        job = self._run(principal, import_id, owner, Reader(archive, password=password))
        task = asyncio.create_task(job)
        self._tasks[import_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(import_id, None))
        return import_id

    async def close(self) -> None:
        """End what is running; what was done is kept and said."""
        self._stopping = True
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def settle(self) -> None:
        """Wait until everything that was taken is imported."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def sweep(self) -> int:
        """Say that the own imports go on; end those whose hub is gone and return how many."""
        async with self._db.write() as uow:
            if self._tasks:
                await uow.session.execute(
                    update(_TABLE).where(_TABLE.c.id.in_(list(self._tasks))).values(heartbeat_at=uow.now)
                )
            abandoned = await uow.session.execute(
                select(_TABLE.c.id)
                .where(
                    _TABLE.c.state.in_((WAITING, RUNNING)),
                    _TABLE.c.heartbeat_at < uow.now - ABANDONED_AFTER,
                )
                .with_for_update(skip_locked=True)
            )
            ids = list(abandoned.scalars())
            for import_id in ids:
                await _end(uow, SYSTEM, import_id, state=FAILED, message=INTERRUPTED)
        return len(ids)

    async def _check_place(self, uow: UnitOfWork, owner: Owner) -> None:
        await self._rooms.organizations.get(uow.session, owner.organization_id)
        if owner.department_id is not None:
            await self._rooms.organizations.department(
                uow.session, owner.organization_id, owner.department_id
            )

    async def _run(self, principal: Principal, import_id: int, owner: Owner, reader: Reader) -> None:
        async with self._turn:
            try:
                message = await self._import(import_id, owner, reader)
            except HubError as refused:
                message = refused.message
            except Exception as error:  # noqa: BLE001 - a job's border
                _log.error("import_failed", import_id=import_id, exc_info=error)
                message = "something went wrong in the hub; its log has more"
        state = FAILED if message else FINISHED
        try:
            async with self._db.write() as uow:
                await _end(uow, principal, import_id, state=state, message=message)
        except Exception as error:  # noqa: BLE001 - a job's border; the sweep ends it later
            _log.warning("import_not_ended", import_id=import_id, error=str(error))

    async def _import(self, import_id: int, owner: Owner, reader: Reader) -> str:
        """Return why the import ended early, or nothing."""
        started = self._db.clock()
        # One that is stopped while it waits for its turn ends with its first batch.
        await asyncio.to_thread(reader.collect_issuers)
        while (batch := await asyncio.to_thread(reader.next_batch)) is not None:
            if self._stopping:
                return INTERRUPTED
            if self._db.clock() - started > MAX_DURATION:
                return "the archive takes too long: send it in parts"
            async with self._db.write() as uow:
                written = await record_batch(uow, import_id, owner, batch)
                if not await _progress(uow, import_id, written):
                    return INTERRUPTED
        return ""


async def _insert(uow: UnitOfWork, principal: Principal, owner: Owner, *, filename: str, files: int) -> int:
    values = {
        "filename": shown_name(filename)[:255],
        "organization_id": owner.organization_id,
        "department_id": owner.department_id,
        "administrator_id": administrator_id(principal),
        "administrator": principal.name,
        "state": WAITING,
        "message": "",
        "files": files,
        "files_done": 0,
        "files_imported": 0,
        "files_known": 0,
        "files_failed": 0,
        "certificates": 0,
        "created_at": uow.now,
        "heartbeat_at": uow.now,
    }
    import_id: int = (
        await uow.session.execute(insert(_TABLE).values(**values).returning(_TABLE.c.id))
    ).scalar_one()
    details = {"filename": values["filename"], "files": files}
    await _tell(uow, principal, "CertificateImportStarted", import_id=import_id, owner=owner, details=details)
    return import_id


async def _progress(uow: UnitOfWork, import_id: int, written: Written) -> bool:
    """Count what a batch did; False when somebody ended the import meanwhile."""
    table, results = _TABLE.c, written.results
    changed = await uow.session.execute(
        update(_TABLE)
        .where(table.id == import_id, table.state.in_((WAITING, RUNNING)))
        .values(
            state=RUNNING,
            files_done=table.files_done + results.total(),
            files_imported=table.files_imported + results[FileResult.IMPORTED],
            files_known=table.files_known + results[FileResult.ALREADY_KNOWN],
            files_failed=table.files_failed + results[FileResult.FAILED],
            certificates=table.certificates + written.certificates,
            heartbeat_at=uow.now,
        )
        .returning(table.id)
    )
    return changed.first() is not None


async def _end(uow: UnitOfWork, principal: Principal, import_id: int, *, state: str, message: str) -> None:
    table = _TABLE.c
    ended = await uow.session.execute(
        update(_TABLE)
        .where(table.id == import_id, table.state.in_((WAITING, RUNNING)))
        .values(state=state, message=message, finished_at=uow.now)
        .returning(
            table.organization_id,
            table.department_id,
            table.filename,
            table.files,
            table.files_imported,
            table.files_known,
            table.files_failed,
            table.certificates,
        )
    )
    row = ended.mappings().first()
    if row is None:
        return
    details = {name: value for name, value in row.items() if name not in {"organization_id", "department_id"}}
    owner = Owner(row["organization_id"], row["department_id"])
    await _tell(
        uow,
        principal,
        "CertificateImportFinished",
        import_id=import_id,
        owner=owner,
        details={**details, "state": state, "message": message},
    )


async def _tell(
    uow: UnitOfWork,
    principal: Principal,
    kind: str,
    *,
    import_id: int,
    owner: Owner,
    details: dict[str, Any],
) -> None:
    uow.emit(
        Event(
            kind=kind,
            object_type=OBJECT_TYPE,
            object_id=str(import_id),
            organization_id=owner.organization_id,
            department_id=owner.department_id,
            certificate_type=CERTIFICATE_TYPE,
            data=details,
        )
    )
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type=OBJECT_TYPE,
        object_id=str(import_id),
        organization_id=owner.organization_id,
        department_id=owner.department_id,
        certificate_type=CERTIFICATE_TYPE,
        details=details,
    )
