"""What a certificate costs below REST: compose, sign, record; against the bare signature and the builder.

CPU time of one core in microseconds, the best of three runs (other work on the machine only adds). The limit
is the signature itself; the peer is the cryptography library's CertificateBuilder with the same extensions.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

import hub.access.models
import hub.organizations.models  # noqa: F401 - declares the tables
from hub.db.base import Base
from hub.db.uow import Database
from hub.http.principal import SYSTEM
from hub.issuers.contract import CertificateOrder
from hub.issuers.service import HierarchySpec, IssuerService
from pki import algorithms
from pki.at_rest import KeyEncryptionKey, new_key
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields

COUNTS = {"EC-P256": 1000, "RSA-2048": 200}
ROUNDS = 3
Work = Callable[[], Awaitable[object]]


async def cost_us(work: Work, count: int) -> float:
    """Return the CPU microseconds of one of ``count`` items that a call of ``work`` handles."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        await work()
        best = min(best, time.process_time() - started)
    return best / count * 1e6


def an_order() -> CertificateOrder:
    """Return an order for a server certificate."""
    csr = build_csr(generate_key(KeyType.EC_P256), SubjectFields(common_name="www.example.com"))
    return CertificateOrder(
        order_id="1",
        certificate_type="ssl",
        csr=csr,
        subject={"common_name": "www.example.com", "organization": "Example Ltd", "country": "DE"},
        dns_names=("www.example.com", "example.com"),
        term_days=90,
        not_before=datetime.now(UTC),
    )


def built_like(
    like: x509.Certificate, extensions: list[x509.Extension[x509.ExtensionType]], key: algorithms.SigningKey
) -> bytes:
    """Build and sign a certificate's equal with the library's builder."""
    builder = x509.CertificateBuilder(
        issuer_name=like.issuer,
        subject_name=like.subject,
        public_key=like.public_key(),
        serial_number=like.serial_number,
        not_valid_before=like.not_valid_before_utc,
        not_valid_after=like.not_valid_after_utc,
    )
    for extension in extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder.sign(key, hashes.SHA256()).tbs_certificate_bytes


async def measure(issuers: IssuerService, db: Database, key_type: str) -> list[tuple[str, float]]:
    """Return what each step costs with an issuing CA of a key type."""
    count = COUNTS[key_type]
    async with db.write() as uow:
        spec = HierarchySpec(name=key_type, key_type=key_type)
        backend_id = await issuers.create_private_hierarchy(uow, spec, principal=SYSTEM)
    async with db.read() as session:
        backend = await issuers.backend(session, backend_id)
    order, key = an_order(), generate_key(KeyType(key_type))
    algorithm = algorithms.default_signature_algorithm(key.public_key())
    intents = [await backend.prepare(order) for _ in range(count)]
    der = (await backend.submit(order, intents[0])).chain[0]  # type: ignore[union-attr]

    like = x509.load_der_x509_certificate(der)
    extensions = list(like.extensions)

    async def sign() -> None:
        for _ in range(count):
            algorithms.sign(key, algorithm, der)

    async def build() -> None:
        for _ in range(count):
            built_like(like, extensions, key)

    async def prepare() -> None:
        for _ in range(count):
            await backend.prepare(order)

    async def record() -> None:
        fresh = [await backend.prepare(order) for _ in range(count)]
        async with db.write() as uow:
            await issuers.record_intents(uow, fresh)

    async def submit() -> None:
        for intent in intents:
            await backend.submit(order, intent)

    prepared = await cost_us(prepare, count)
    return [
        ("bare signature (limit)", await cost_us(sign, count)),
        ("CertificateBuilder (peer)", await cost_us(build, count)),
        ("compose: serial, TBSCertificate", prepared),
        ("record the serial, all in one transaction", await cost_us(record, count) - prepared),
        ("sign, verify, assemble", await cost_us(submit, count)),
    ]


async def main() -> None:
    """Measure with EC and RSA issuing CAs and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        db = Database.open(f"sqlite:///{Path(folder) / 'hub.db'}")
        async with db.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        issuers = IssuerService(db, KeyEncryptionKey(new_key()), public_url="http://hub.example.com")
        for key_type in COUNTS:
            rows = await measure(issuers, db, key_type)
            limit, peer = rows[0][1], rows[1][1]
            total = sum(cost for _, cost in rows[2:])
            print(f"\n{key_type} issuing CA{'':26}us CPU   a second a core")
            for name, cost in [*rows, ("a certificate, all three steps", total)]:
                print(f"  {name:42}{cost:8.1f}{1e6 / cost:18,.0f}")
            print(f"  ratio to the limit {total / limit:.2f}, to the peer {total / peer:.2f} (CPU)")
        await db.close()
    print(
        "\nThe peer neither checks its signature nor records anything. Bound by the signature and its check;"
    )
    print(
        "with EC keys also by the DER pieces put together in Python: the next step is to cache whole heads."
    )


if __name__ == "__main__":
    asyncio.run(main())
