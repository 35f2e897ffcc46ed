"""CRLs: a million entries made and signed again after one more revocation, against the library's builder."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy import insert, update

from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.http.principal import SYSTEM
from hub.issuers.models import CaAuthority, CaCrl, CaSerial
from hub.issuers.service import HierarchySpec, IssuerService
from pki.at_rest import KeyEncryptionKey, new_key
from pki.crls import CrlEntry, RevocationReason, encode_crl_entry
from pki.keys import KeyType, generate_key

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class ListTimes:
    """What a list of ``entries`` took.

    ``first_s`` and ``again_s`` are seconds until it was committed, the others of CPU. ``grown_megabytes``:
    how much more memory the process has once it has made the list.
    """

    entries: int
    first_s: float
    again_s: float
    sign_only_s: float
    builder_s: float | None
    megabytes: float
    grown_megabytes: float


def entries_of(count: int) -> list[CrlEntry]:
    """Return entries with random serial numbers and the usual reasons."""
    reasons = [RevocationReason.SUPERSEDED, RevocationReason.KEY_COMPROMISE, RevocationReason.UNSPECIFIED]
    return [
        CrlEntry(
            int.from_bytes(os.urandom(16), "big") >> 1 | 1,
            NOW - timedelta(minutes=number % 500_000),
            reasons[number % 3],
        )
        for number in range(count)
    ]


def builder_seconds(entries: list[CrlEntry]) -> float:
    """Return what the library's builder takes for the same list, revocations given all at once."""
    key = generate_key(KeyType.EC_P256)
    started = time.process_time()
    revoked = []
    for entry in entries:
        one = x509.RevokedCertificateBuilder().serial_number(entry.serial).revocation_date(entry.revoked_at)
        if entry.reason is not RevocationReason.UNSPECIFIED:
            one = one.add_extension(x509.CRLReason(x509.ReasonFlags(entry.reason.value)), critical=False)
        revoked.append(one.build())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Peer")])
    # One by one, add_revoked_certificate copies the list each time; this is the fastest way there is.
    builder = x509.CertificateRevocationListBuilder(name, NOW, NOW + timedelta(days=7), [], revoked)
    builder.sign(key, hashes.SHA256())
    return time.process_time() - started


async def measure(count: int, *, with_builder: bool) -> ListTimes:
    """Make a list of ``count`` entries from the database, then again after one more revocation."""
    entries = entries_of(count)
    with tempfile.TemporaryDirectory(prefix="certwright-bench-") as folder:
        moment = [NOW]
        db = Database.open(f"sqlite:///{Path(folder) / 'hub.db'}", clock=lambda: moment[0])
        tables = all_tables()
        async with db.engine.begin() as connection:
            await connection.run_sync(tables.create_all)
        issuers = IssuerService(db, KeyEncryptionKey(new_key()), public_url="http://hub.example.com")
        async with db.write() as uow:
            spec = HierarchySpec(name="Bench")
            backend_id = await issuers.create_private_hierarchy(uow, spec, principal=SYSTEM)
        await _fill(db, entries)

        async def again() -> None:
            moment[0] += timedelta(minutes=1)
            async with db.write() as uow:
                serial = f"{int.from_bytes(os.urandom(15), 'big'):x}"
                await issuers.certificate_revoked(
                    uow, backend_id=backend_id, serial_hex=serial, reason="superseded", at=moment[0]
                )
            moment[0] += timedelta(minutes=1)
            if await issuers.refresh_crls() != 1:
                raise RuntimeError("no list was made")

        gc.collect()
        before = psutil.Process().memory_info().rss
        first_s = await _timed(again)
        again_s = min([await _timed(again) for _ in range(5)])
        async with db.read() as session:
            record = (await issuers.authorities(session, backend_id))[0]
            crl = await issuers.crl(session, record.slug)
        _check(crl.der, record.certificate, count)
        grown = (psutil.Process().memory_info().rss - before) / 1e6
        sign_only_s = _sign_only(issuers, record.slug)
        await db.close()
    builder_s = builder_seconds(entries) if with_builder else None
    return ListTimes(count, first_s, again_s, sign_only_s, builder_s, len(crl.der) / 1e6, grown)


async def _fill(db: Database, entries: list[CrlEntry]) -> None:
    async with db.write() as uow:
        authority_id = (
            await uow.session.execute(CaAuthority.__table__.select().where(CaAuthority.role == "issuing"))
        ).one()[0]
        for start in range(0, len(entries), _CHUNK):
            await uow.session.execute(
                insert(CaSerial),
                [
                    {
                        "authority_id": authority_id,
                        "serial_hex": f"{entry.serial:x}",
                        "recorded_at": NOW,
                        "not_after": NOW + timedelta(days=1 + number % 397),
                        "revoked_at": entry.revoked_at,
                        "reason": entry.reason.value,
                        "shard": 0,
                        "revision": 1,
                        "crl_entry": encode_crl_entry(entry),
                    }
                    for number, entry in enumerate(entries[start : start + _CHUNK])
                ],
            )
        await uow.session.execute(
            update(CaCrl).where(CaCrl.authority_id == authority_id).values(revision=1, entries=len(entries))
        )


async def _timed(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    await run()  # type: ignore[misc]
    return time.perf_counter() - started


def _sign_only(issuers: IssuerService, slug: str) -> float:
    """Return what joining, encoding and signing takes, without the database."""
    from hub.issuers.crls import _template

    authority = issuers._authorities._open[slug]  # noqa: SLF001 - what is inside is what is measured
    (entries,) = issuers._crls._entries.values()  # noqa: SLF001 - as above
    template = _template(authority, 0, 1, NOW, NOW + timedelta(days=7))
    times = []
    for number in range(5):
        started = time.process_time()
        authority.ca.build_crl(replace(template, number=number), entries.pieces())
        times.append(time.process_time() - started)
    return min(times)


def _check(der: bytes, issuer: bytes, count: int) -> None:
    crl = x509.load_der_x509_crl(der)
    key = x509.load_der_x509_certificate(issuer).public_key()
    # One more from each of six rounds.
    if len(crl) != count + 6 or not crl.is_signature_valid(key):  # type: ignore[arg-type]
        raise RuntimeError("the list is not what was revoked")


def run(counts: list[int], *, builder_up_to: int) -> None:
    """Print a table."""
    print("\nCRLs on SQLite: first from the database, then again after one more revocation, both committed;")
    print(
        "CPU of joining, encoding, signing and checking alone, and of the library's builder for the same list"
    )
    header = (
        f"{'entries':>9} {'MB':>6} {'first':>9} {'again':>9} {'sign only':>10} {'library':>9} {'grown MB':>9}"
    )
    print(header)
    for count in counts:
        found = asyncio.run(measure(count, with_builder=count <= builder_up_to))
        peer = "-" if found.builder_s is None else f"{found.builder_s * 1000:.0f} ms"
        print(
            f"{count:>9,} {found.megabytes:>6.1f} {found.first_s * 1000:>6.0f} ms"
            f" {found.again_s * 1000:>6.0f} ms {found.sign_only_s * 1000:>7.1f} ms"
            f" {peer:>9} {found.grown_megabytes:>9.0f}",
            flush=True,
        )
