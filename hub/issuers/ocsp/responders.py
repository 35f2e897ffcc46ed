"""Delegated responders (RFC 6960, 4.2.2.2): short-lived keys that an issuing CA certifies to answer for it.

The CA's own key stays out of every answer. A new responder takes over well before the last one ends. Its key
and its unsigned certificate are stored first and signed afterwards, and it answers once the signature is
stored: what the CA signed is never unknown to it, and no replica uses what others can't see.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import Unavailable
from hub.db.outbox import Event
from hub.db.uow import Database
from hub.issuers import ledger
from hub.issuers.authorities import AuthorityStore
from hub.issuers.models import CaAuthority, OcspResponder, key_is_here
from hub.issuers.private_ca.ports import OpenAuthority
from hub.issuers.private_ca.signer import SoftwareSigner
from pki.at_rest import KeyEncryptionKey
from pki.keys import KeyType, generate_key, spki_der, spki_sha256
from pki.names import SubjectFields, encode_name
from pki.ocsp_responses import SignedResponse, assemble_response, certificate_list, responder_id
from pki.templates import SERIAL_RANDOM_BYTES, SubjectRef, Validity

_log = structlog.get_logger(__name__)

LIFETIME = timedelta(days=14)
RENEW_BEFORE = timedelta(days=7)
"""A responder with less than this left is followed by a new one."""
# For clocks that are slow.
_BACKDATE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenResponder:
    """A responder whose key is in memory. ``name`` is its encoded ResponderID."""

    certificate: bytes = field(repr=False)
    signer: SoftwareSigner = field(repr=False)
    name: bytes
    certificates: bytes = field(repr=False)
    not_after: datetime

    @property
    def signs_slowly(self) -> bool:
        """Whether a signature belongs in a thread (RSA: a quarter of a millisecond)."""
        return "RSA" in self.signer.algorithm

    def sign(self, data: bytes) -> SignedResponse:
        """Sign ResponseData; blocks."""
        signature = self.signer.sign(data)
        return assemble_response(data, self.signer.algorithm, signature, certificates=self.certificates)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponderRecord:
    """The facts of a responder's certificate."""

    authority_id: int
    serial_hex: str
    not_before: datetime
    not_after: datetime


class Responders:
    """Keeps every issuing authority supplied with a responder."""

    def __init__(self, db: Database, kek: KeyEncryptionKey, authorities: AuthorityStore) -> None:
        self._db = db
        self._kek = kek
        self._authorities = authorities

    async def current(self, session: AsyncSession, authority_id: int) -> OpenResponder | None:
        """Return the newest responder that is certified and valid now.

        Raises:
            WrongEncryptionKey, UnwrapError: its key can't be opened.
        """
        now = self._db.clock()
        row = (
            await session.execute(
                select(OcspResponder)
                .where(
                    OcspResponder.authority_id == authority_id,
                    OcspResponder.certificate.is_not(None),
                    OcspResponder.not_before <= now,
                    OcspResponder.not_after > now,
                )
                .order_by(OcspResponder.generation.desc())
                .limit(1)
            )
        ).scalar_one_or_none()
        if row is None or row.certificate is None:
            return None
        return OpenResponder(
            certificate=row.certificate,
            signer=SoftwareSigner.unlock(row.locked_key, self._kek, key_sha256=row.key_sha256),
            name=responder_id(row.certificate),
            certificates=certificate_list(row.certificate),
            not_after=row.not_after,
        )

    async def roll_over(self) -> int:
        """Give every authority that needs one a new responder; return how many were certified."""
        async with self._db.read() as session:
            slugs = (
                await session.scalars(
                    select(CaAuthority.slug).where(
                        CaAuthority.role == "issuing",
                        key_is_here(),
                        CaAuthority.not_after > self._db.clock() + timedelta(minutes=1),
                    )
                )
            ).all()
        made = 0
        for slug in slugs:
            try:
                made += await self.supply(await self._authorities.by_slug(slug))
            except Unavailable as fault:
                # An HSM that is away keeps only its own CAs waiting.
                _log.warning("ocsp_responder_not_made", ca=slug, reason=fault.message)
        return made

    async def supply(self, authority: OpenAuthority) -> int:
        """See to it that an authority has a responder for some time; return how many were certified."""
        newest = await self._newest(authority.id)
        now = self._db.clock()
        # One that ends with its authority can't be followed by anything later.
        lasting = newest is not None and (
            newest.not_after - now >= RENEW_BEFORE or newest.not_after >= authority.ca.facts.not_after
        )
        if newest is None or not lasting:
            await self._begin(authority, generation=1 if newest is None else newest.generation + 1)
        return await self._certify_pending(authority)

    async def listed(self, session: AsyncSession, backend_id: int) -> list[ResponderRecord]:
        """Return the certified responders of a backend's authorities, the newest first."""
        rows = await session.execute(
            select(
                OcspResponder.authority_id,
                OcspResponder.serial_hex,
                OcspResponder.not_before,
                OcspResponder.not_after,
            )
            .join(CaAuthority, CaAuthority.id == OcspResponder.authority_id)
            .where(CaAuthority.backend_id == backend_id, OcspResponder.certificate.is_not(None))
            .order_by(OcspResponder.generation.desc())
        )
        return [ResponderRecord(**row._asdict()) for row in rows]

    async def _newest(self, authority_id: int) -> Row[int, datetime] | None:
        async with self._db.read() as session:
            rows = await session.execute(
                select(OcspResponder.generation, OcspResponder.not_after)
                .where(OcspResponder.authority_id == authority_id)
                .order_by(OcspResponder.generation.desc())
                .limit(1)
            )
            return rows.one_or_none()

    async def _begin(self, authority: OpenAuthority, *, generation: int) -> None:
        key = await asyncio.to_thread(generate_key, _key_type(authority))
        signer = SoftwareSigner(key)
        begin = self._db.clock().replace(microsecond=0) - _BACKDATE
        validity = Validity(
            max(begin, authority.ca.facts.not_before),
            min(begin + _BACKDATE + LIFETIME, authority.ca.facts.not_after),
        )
        prepared = authority.ca.prepare_responder(
            random=os.urandom(SERIAL_RANDOM_BYTES), validity=validity, subject=_subject(authority, signer)
        )
        try:
            async with self._db.write() as uow:
                await uow.session.execute(
                    insert(OcspResponder).values(
                        authority_id=authority.id,
                        generation=generation,
                        locked_key=signer.lock(self._kek),
                        key_sha256=spki_sha256(signer.public_key),
                        serial_hex=prepared.serial,
                        tbs=prepared.tbs,
                        not_before=validity.not_before,
                        not_after=validity.not_after,
                        created_at=uow.now,
                    )
                )
                await ledger.record(
                    uow,
                    [
                        ledger.SerialRecord(
                            authority_id=authority.id,
                            serial_hex=prepared.serial,
                            not_after=validity.not_after,
                        )
                    ],
                )
        except IntegrityError:
            # Another replica was first.
            return

    async def _certify_pending(self, authority: OpenAuthority) -> int:
        """Sign what was stored unsigned, by this process or one that died."""
        async with self._db.read() as session:
            rows = (
                await session.execute(
                    select(OcspResponder.id, OcspResponder.tbs).where(
                        OcspResponder.authority_id == authority.id, OcspResponder.certificate.is_(None)
                    )
                )
            ).all()
        made = 0
        for row in rows:
            certificate = await asyncio.to_thread(authority.ca.sign, row.tbs)
            made += await self._store(authority, row.id, certificate)
        return made

    async def _store(self, authority: OpenAuthority, responder: int, certificate: bytes) -> bool:
        async with self._db.write() as uow:
            changed = await uow.session.execute(
                update(OcspResponder)
                .where(OcspResponder.id == responder, OcspResponder.certificate.is_(None))
                .values(certificate=certificate)
                .returning(OcspResponder.id)
            )
            if changed.one_or_none() is None:
                return False
            await uow.session.execute(
                delete(OcspResponder).where(
                    OcspResponder.authority_id == authority.id, OcspResponder.not_after < uow.now
                )
            )
            uow.emit(
                Event(
                    kind="OcspResponderCertified",
                    object_type="ca_authority",
                    object_id=str(authority.id),
                    data={"slug": authority.slug},
                )
            )
        return True


def _key_type(authority: OpenAuthority) -> KeyType:
    # Who verifies the CA's signatures verifies those of the same kind of key.
    key_type = authority.ca.facts.key_type
    return KeyType.RSA_2048 if key_type.startswith("RSA-") else KeyType(key_type)


def _subject(authority: OpenAuthority, signer: SoftwareSigner) -> SubjectRef:
    name = SubjectFields(common_name=f"OCSP responder of {authority.slug}"[:64])
    return SubjectRef(encode_name(name), spki_der(signer.public_key))
