"""``certwright hub export-status``: CRLs, CA certificates and OCSP answers as files for any web server.

Every certificate in the ledger that has not ended gets an answer. The manifest is written last and says until
when the files are good; whoever exports does so again well before.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import Database
from hub.issuers.addresses import list_name
from hub.issuers.ledger import SerialState
from hub.issuers.models import CaAuthority, CaCrl, CaSerial
from hub.issuers.ocsp.service import OcspService
from hub.issuers.ocsp.static_files import StaticFiles
from pki.crls import RevocationReason
from pki.ocsp import path_of_request

MANIFEST = "status.json"
_PAGE = 1_000


@dataclass(slots=True)
class ExportReport:
    """What was written. ``next_update``: when the first of it ends."""

    crls: int = 0
    answers: int = 0
    removed: int = 0
    next_update: datetime | None = None
    files: list[dict[str, Any]] = field(default_factory=list)

    def note(self, ends: datetime, **facts: object) -> None:
        """Take a line of the manifest."""
        self.files.append({**facts, "next_update": ends.isoformat()})
        self.next_update = ends if self.next_update is None else min(self.next_update, ends)


class StatusExport:
    """Writes the status of all authorities. ``hash_names``: of the OCSP requests that are answered."""

    def __init__(
        self, db: Database, ocsp: OcspService, folder: Path, *, hash_names: Sequence[str] = ("sha1",)
    ) -> None:
        self._db = db
        self._ocsp = ocsp
        self._files = StaticFiles(folder)
        self._hash_names = hash_names
        self._report = ExportReport()

    async def run(self) -> ExportReport:
        """Write everything, then remove what is no longer, then the manifest.

        Raises:
            OSError: the folder can't be written to.
        """
        async with self._db.read() as session:
            authorities = (
                await session.execute(
                    select(
                        CaAuthority.id,
                        CaAuthority.slug,
                        CaAuthority.role,
                        CaAuthority.certificate,
                        CaAuthority.locked_key,
                        CaAuthority.not_after,
                    ).order_by(CaAuthority.id)
                )
            ).all()
            for row in authorities:
                self._files.write(f"aia/{row.slug}.cer", row.certificate)
                await self._write_crls(session, row.id, row.slug)
        for row in authorities:
            if row.role == "issuing" and row.locked_key is not None and row.not_after > self._db.clock():
                await self._write_answers(row.id, row.slug)
        self._report.removed = sum(self._files.remove_others(folder) for folder in ("crl", "aia", "ocsp"))
        self._write_manifest()
        return self._report

    async def _write_crls(self, session: AsyncSession, authority_id: int, slug: str) -> None:
        # One at a time: each may have tens of megabytes.
        shards = (await session.scalars(select(CaCrl.shard).where(CaCrl.authority_id == authority_id))).all()
        for shard in shards:
            row = (
                await session.execute(
                    select(CaCrl.der, CaCrl.number, CaCrl.next_update).where(
                        CaCrl.authority_id == authority_id, CaCrl.shard == shard
                    )
                )
            ).one()
            if row.der is None or row.next_update is None:
                continue
            name = f"crl/{list_name(slug, shard)}.crl"
            await asyncio.to_thread(self._files.write, name, row.der)
            self._report.crls += 1
            self._report.note(row.next_update, file=name, number=row.number)

    async def _write_answers(self, authority_id: int, slug: str) -> None:
        ends: datetime | None = None
        count = 0
        async for states in self._pages(authority_id):
            for hash_name in self._hash_names:
                answers, until = await self._ocsp.answers(slug, states, hash_name=hash_name)
                await asyncio.to_thread(self._write_page, slug, answers)
                count += len(answers)
                ends = until if ends is None else min(ends, until)
        self._report.answers += count
        if ends is not None:
            self._report.note(ends, folder=f"ocsp/{slug}", answers=count)

    def _write_page(self, slug: str, answers: Sequence[tuple[bytes, bytes]]) -> None:
        for request, response in answers:
            self._files.write_answer(slug, path_of_request(request), response)

    async def _pages(self, authority_id: int) -> AsyncIterator[list[SerialState]]:
        last = ""
        while True:
            async with self._db.read() as session:
                rows = (
                    await session.execute(
                        select(CaSerial.serial_hex, CaSerial.revoked_at, CaSerial.reason)
                        .where(
                            CaSerial.authority_id == authority_id,
                            CaSerial.serial_hex > last,
                            or_(CaSerial.not_after.is_(None), CaSerial.not_after >= self._db.clock()),
                        )
                        .order_by(CaSerial.serial_hex)
                        .limit(_PAGE)
                    )
                ).all()
            if not rows:
                return
            last = rows[-1].serial_hex
            yield [
                SerialState(
                    int(row.serial_hex, 16),
                    row.revoked_at,
                    RevocationReason(row.reason or RevocationReason.UNSPECIFIED),
                )
                for row in rows
            ]

    def _write_manifest(self) -> None:
        report = self._report
        document = {
            "made_at": self._db.clock().isoformat(),
            "next_update": None if report.next_update is None else report.next_update.isoformat(),
            "files": report.files,
        }
        self._files.write(MANIFEST, json.dumps(document, indent=1).encode() + b"\n")
