"""Writing what an import found: certificates, and a row a file that says what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select

from hub.db.uow import UnitOfWork
from hub.lifecycle.found import Find, chunks, record_parsed
from hub.lifecycle.importing.models import CertificateImportFile
from hub.lifecycle.importing.reading import Batch, ReadFile
from hub.lifecycle.models import Certificate

REQUESTED_VIA = "Import"
EVENT = "CertificateImported"


class FileResult(StrEnum):
    """What became of a file."""

    IMPORTED = "Imported"
    ALREADY_KNOWN = "AlreadyKnown"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose the certificates become."""

    organization_id: int
    department_id: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """How many files ended how, and how many certificates are new."""

    results: Counter[str]
    certificates: int


async def record_batch(uow: UnitOfWork, import_id: int, owner: Owner, batch: Batch) -> Written:
    """Make External certificates of what is new, and note a result a file."""
    find = Find(
        chains=batch.chains,
        bodies=batch.bodies,
        organization_id=owner.organization_id,
        department_id=owner.department_id,
        requested_via=REQUESTED_VIA,
        event=EVENT,
    )
    recorded = await record_parsed(uow, find, batch.facts)
    shown = recorded.new_ids | await _own(
        uow, owner, [found for found in recorded.ids.values() if found not in recorded.new_ids]
    )
    # A certificate that is in two files of the archive is new in the first of them.
    fresh = set(recorded.new_ids)
    rows = [_row(import_id, item, recorded.ids, fresh=fresh, shown=shown) for item in batch.files]
    await uow.session.execute(insert(CertificateImportFile.__table__), rows)  # type: ignore[arg-type]
    return Written(Counter(row["result"] for row in rows), len(recorded.new_ids))


async def _own(uow: UnitOfWork, owner: Owner, ids: Sequence[int]) -> set[int]:
    """Return those of the same owner: whose the others are, and which, is told to nobody here."""
    own: set[int] = set()
    department = Certificate.department_id
    for chunk in chunks(ids):
        rows = await uow.session.execute(
            select(Certificate.id).where(
                Certificate.id.in_(chunk),
                Certificate.organization_id == owner.organization_id,
                department.is_(None) if owner.department_id is None else department == owner.department_id,
            )
        )
        own.update(rows.scalars())
    return own


def _row(
    import_id: int, item: ReadFile, ids: dict[str, int], *, fresh: set[int], shown: set[int]
) -> dict[str, Any]:
    row: dict[str, Any] = {"import_id": import_id, "name": item.name, "reason": "", "message": ""}
    if item.fault is not None:
        return row | {
            "result": FileResult.FAILED.value,
            "reason": item.fault.reason,
            "message": item.fault.message,
            "certificate_ids": [],
        }
    found = [ids[facts.sha256] for facts in item.facts if facts.sha256 in ids]
    new = [certificate_id for certificate_id in found if certificate_id in fresh]
    fresh.difference_update(new)
    result = FileResult.IMPORTED if new else FileResult.ALREADY_KNOWN
    return row | {
        "result": result.value,
        "certificate_ids": [certificate_id for certificate_id in found if certificate_id in shown],
    }
