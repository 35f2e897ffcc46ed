"""The encrypted key store: private keys, their CSRs and certificates, in SQLite.

A private key is encrypted (:mod:`pki.at_rest`) under the store's key-encryption key and bound to its id
before it touches the disk. Keys leave the store as objects in memory only: to sign a CSR, to be sealed
for a receiver, or to be handed to a server installer on this host.
"""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography import x509

from agents.runtime.commands import GenerateCertificate
from agents.runtime.database import Database
from agents.runtime.errors import (
    CertificateNotStored,
    CommandFailed,
    KeyDiffersFromCertificate,
    KeyIdTaken,
    KeyNotFound,
)
from pki.algorithms import SigningKey
from pki.at_rest import KeyEncryptionKey
from pki.errors import LIBRARY_FAULTS
from pki.keys import decode_private_key, encode_private_key, key_matches, spki_sha256

_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
    key_id TEXT PRIMARY KEY,
    key_type TEXT NOT NULL,
    spki_sha256 TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    origin TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS requests (
    key_id TEXT NOT NULL REFERENCES keys (key_id) ON DELETE CASCADE,
    parameters_sha256 TEXT NOT NULL,
    csr BLOB NOT NULL,
    PRIMARY KEY (key_id, parameters_sha256)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS certificates (
    key_id TEXT NOT NULL REFERENCES keys (key_id) ON DELETE CASCADE,
    sha256 TEXT NOT NULL,
    chain TEXT NOT NULL,
    stored_at TEXT NOT NULL,
    PRIMARY KEY (key_id, sha256)
) STRICT, WITHOUT ROWID;
"""
MAX_KEY_ID_CHARS = 200


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What is known of a key without decrypting it."""

    key_id: str
    key_type: str
    spki_sha256: str
    """Lower-case hex, as in :mod:`pki`."""
    origin: str
    """"generated" or "received"."""
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """A key with one of its certificates, ready for an installer."""

    key: SigningKey = field(repr=False)
    chain: tuple[bytes, ...] = field(repr=False)
    """DER, leaf first."""


def parameters_sha256(request: GenerateCertificate) -> str:
    """A digest over everything that decides a CSR, so that a repeat is known from another wish."""
    fields = asdict(request)
    del fields["reuse_key"]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


class KeyStore:
    """The store of one agent. Raises StateDirectoryUnusable when the disk refuses."""

    def __init__(self, database: Database, kek: KeyEncryptionKey) -> None:
        self._database = database
        self._kek = kek

    @classmethod
    async def open(cls, path: Path, kek: KeyEncryptionKey) -> Self:
        """Open or create the store."""
        return cls(await Database.open(path, _SCHEMA), kek)

    async def close(self) -> None:
        """Close the file."""
        await self._database.close()

    async def find(self, key_id: str) -> StoredKey:
        """A key's record. Raises KeyNotFound."""
        found = await self._database.call(lambda connection: _find(connection, key_id))
        if found is None:
            raise KeyNotFound(f"no key {key_id!r} in this agent's store")
        return found

    async def private_key(self, key_id: str) -> SigningKey:
        """Decrypt a key. Raises KeyNotFound, or PkiError when the store's key is another one."""
        return self._decrypt(await self.find(key_id))

    def _decrypt(self, stored: StoredKey) -> SigningKey:
        return decode_private_key(self._kek.unwrap(stored.wrapped, _purpose(stored.key_id)))

    async def add(self, key_id: str, key: SigningKey, *, key_type: str, origin: str) -> StoredKey:
        """Keep a key under an id; the key that has the id already stays and is returned.

        Raises CommandFailed for an id that is none.
        """
        if not 0 < len(key_id) <= MAX_KEY_ID_CHARS or not key_id.isprintable():
            raise CommandFailed("KeyIdMalformed", "a key id has 1 to 200 printable characters")
        wrapped = self._kek.wrap(encode_private_key(key), _purpose(key_id))
        row = (key_id, key_type, spki_sha256(key.public_key()), wrapped, origin, _now())

        def work(connection: sqlite3.Connection) -> StoredKey | None:
            connection.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
            return _find(connection, key_id)

        stored = await self._database.call(work)
        if stored is None:
            raise KeyNotFound
        return stored

    async def request(self, key_id: str, parameters: str) -> bytes | None:
        """The CSR made for these parameters, or None."""

        def work(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute(
                "SELECT csr FROM requests WHERE key_id = ? AND parameters_sha256 = ?", (key_id, parameters)
            ).fetchone()
            return row[0] if row else None

        return await self._database.call(work)

    async def has_requests(self, key_id: str) -> bool:
        """Whether any CSR was made for a key."""

        def work(connection: sqlite3.Connection) -> bool:
            query = "SELECT 1 FROM requests WHERE key_id = ? LIMIT 1"
            return connection.execute(query, (key_id,)).fetchone() is not None

        return await self._database.call(work)

    async def add_request(self, key_id: str, parameters: str, csr: bytes) -> bytes:
        """Keep a CSR; the one that is there for the same parameters already stays and is returned."""

        def work(connection: sqlite3.Connection) -> bytes:
            connection.execute(
                "INSERT INTO requests VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (key_id, parameters, csr)
            )
            row = connection.execute(
                "SELECT csr FROM requests WHERE key_id = ? AND parameters_sha256 = ?", (key_id, parameters)
            ).fetchone()
            return bytes(row[0])

        return await self._database.call(work)

    async def add_received(self, key_id: str, key: SigningKey, *, key_type: str) -> StoredKey:
        """Keep a key made elsewhere. Raises KeyIdTaken when the id has another key."""
        stored = await self.add(key_id, key, key_type=key_type, origin="received")
        if stored.spki_sha256 != spki_sha256(key.public_key()):
            raise KeyIdTaken(f"the store has another key under {key_id!r}")
        return stored

    async def add_certificate(self, key_id: str, chain: Sequence[bytes]) -> str:
        """Keep a chain beside its key; return the leaf's hex SHA-256.

        Raises KeyNotFound, KeyDiffersFromCertificate, or CommandFailed for a chain that can't be read.
        """
        _check_chain(chain)
        stored = await self.find(key_id)
        if not key_matches(self._decrypt(stored), chain[0]):
            raise KeyDiffersFromCertificate(f"the certificate is not for key {key_id!r}")
        sha256 = hashlib.sha256(chain[0]).hexdigest()
        row = (key_id, sha256, json.dumps([der.hex() for der in chain]), _now())
        await self._database.call(
            lambda connection: connection.execute(
                "INSERT INTO certificates VALUES (?, ?, ?, ?) "
                "ON CONFLICT (key_id, sha256) DO UPDATE SET chain = excluded.chain",
                row,
            )
        )
        return sha256

    async def material(self, key_id: str, sha256: str) -> KeyMaterial:
        """A key with the certificate of that hex SHA-256. Raises KeyNotFound or CertificateNotStored."""
        stored = await self.find(key_id)
        row = await self._database.call(
            lambda connection: connection.execute(
                "SELECT chain FROM certificates WHERE key_id = ? AND sha256 = ?", (key_id, sha256)
            ).fetchone()
        )
        if row is None:
            raise CertificateNotStored(f"no certificate {sha256} beside key {key_id!r}")
        return KeyMaterial(self._decrypt(stored), tuple(bytes.fromhex(text) for text in json.loads(row[0])))

    async def delete(self, key_id: str) -> bool:
        """Remove a key with its CSRs and certificates; False when there was none."""
        return await self._database.call(
            lambda connection: connection.execute("DELETE FROM keys WHERE key_id = ?", (key_id,)).rowcount > 0
        )

    async def key_ids(self) -> tuple[str, ...]:
        """Ids of all keys."""
        rows = await self._database.call(
            lambda connection: connection.execute("SELECT key_id FROM keys ORDER BY key_id").fetchall()
        )
        return tuple(row[0] for row in rows)


def _find(connection: sqlite3.Connection, key_id: str) -> StoredKey | None:
    row = connection.execute(
        "SELECT key_id, key_type, spki_sha256, origin, wrapped FROM keys WHERE key_id = ?", (key_id,)
    ).fetchone()
    return StoredKey(*row) if row else None


def _check_chain(chain: Sequence[bytes]) -> None:
    if not chain:
        raise CommandFailed("CertificateMalformed", "the chain is empty")
    try:
        for der in chain:
            x509.load_der_x509_certificate(der).subject.public_bytes()
    except LIBRARY_FAULTS as fault:
        raise CommandFailed("CertificateMalformed", "the chain holds what is no certificate") from fault


def _purpose(key_id: str) -> bytes:
    return b"certwright key store v1\x00" + key_id.encode()


def _now() -> str:
    return datetime.now(UTC).isoformat()
