"""Importing certificates as discovery and archives do: parsed, stored, indexed, counted, told of."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import delete

from hub.db.uow import Database
from hub.lifecycle.figures.folding import fold_all
from hub.lifecycle.found import Find, record_found
from hub.lifecycle.models import Certificate

_BATCH = 1000
_AIM = 100_000, 60.0


class Source:
    """Makes certificates; one key for all, as making keys is not measured."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._public = self._key.public_key()
        self._issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Import Benchmark CA")])
        self._from = datetime.now(UTC)

    def der(self, number: int) -> bytes:
        """Return a certificate of its own."""
        name = f"host{number}.imported.example.net"
        names = x509.SubjectAlternativeName([x509.DNSName(name), x509.DNSName(f"www.{name}")])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._issuer)
            .public_key(self._public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._from)
            .not_valid_after(self._from + timedelta(days=90))
            .add_extension(names, critical=False)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


async def imported(url: str, count: int) -> None:
    """Import ``count`` certificates in batches, print how long it took, and remove them again."""
    source, db = Source(), Database.open(url)
    wall = cpu = 0.0
    ids: list[int] = []
    try:
        for first in range(0, count, _BATCH):
            ders = [source.der(number) for number in range(first, min(first + _BATCH, count))]
            started, spent = time.perf_counter(), time.process_time()
            bodies = {hashlib.sha256(der).hexdigest(): der for der in ders}
            find = Find(chains={leaf: (leaf,) for leaf in bodies}, bodies=bodies, organization_id=1)
            async with db.write() as uow:
                ids += (await record_found(uow, find)).new_ids
            wall += time.perf_counter() - started
            cpu += time.process_time() - spent
        started = time.perf_counter()
        await fold_all(db)
        folding = time.perf_counter() - started
        await _remove(db, ids)
    finally:
        await db.close()
    aim = _AIM[1] / _AIM[0] * count
    print(
        f"import of {count:,}: {wall:.1f} s, {count / wall:,.0f} a second, {cpu / count * 1e6:.0f} us of this"
        f" process each; {aim / wall:.1f}x the aim of {_AIM[0]:,} in {_AIM[1]:.0f} s; then {folding:.1f} s of"
        " folding the counts in the background"
    )


async def _remove(db: Database, ids: list[int]) -> None:
    for first in range(0, len(ids), _BATCH):
        async with db.write() as uow:
            await uow.session.execute(
                delete(Certificate).where(Certificate.id.in_(ids[first : first + _BATCH]))
            )
    await fold_all(db)
