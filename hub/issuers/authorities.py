"""The hub's certification authorities: read from the database, unlocked once, then kept in memory.

An authority never changes after it was made; which one issues for a backend, and under which address it is
published, can. Both are looked up again whenever the backend is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import Database
from hub.issuers.addresses import StatusAddresses
from hub.issuers.crls import CrlPublisher
from hub.issuers.errors import AuthorityKeyUnavailable, AuthorityNotFound
from hub.issuers.models import CaAuthority, CaBackendRow
from hub.issuers.private_ca.authority import PrivateCa
from hub.issuers.private_ca.hsm import Hsm
from hub.issuers.private_ca.ports import OpenAuthority
from hub.issuers.private_ca.signer import Signer, SoftwareSigner
from pki.algorithms import SignatureAlgorithm
from pki.at_rest import KeyEncryptionKey
from pki.certificates import load_certificate
from pki.errors import PkiError
from pki.keys import decode_public_key, spki_der

_MAX_DEPTH = 8


class AuthorityStore:
    """Opens authorities. The port ``AuthorityKeeper`` of the built-in CA."""

    def __init__(
        self,
        db: Database,
        kek: KeyEncryptionKey,
        *,
        public_url: str,
        crls: CrlPublisher,
        hsm: Hsm | None = None,
    ) -> None:
        self._db = db
        self._kek = kek
        self._hsm = hsm
        self._public_url = public_url
        self._crls = crls
        self._open: dict[str, OpenAuthority] = {}
        self._issuing: dict[int, str] = {}
        self._backends: dict[str, int] = {}
        # Told of authority and serial number after a revocation was committed here.
        self.on_revoked: Callable[[int, int], None] | None = None

    async def issuing(self, backend_id: int) -> OpenAuthority:
        """Return the authority that signs a backend's new certificates.

        Raises:
            AuthorityNotFound: the backend has none.
            AuthorityKeyUnavailable: its key can't be opened.
        """
        slug = self._issuing.get(backend_id)
        if slug is not None:
            return await self.by_slug(slug)
        async with self._db.read() as session:
            rows = await session.execute(
                select(CaAuthority.slug)
                .where(
                    CaAuthority.backend_id == backend_id,
                    CaAuthority.role == "issuing",
                    CaAuthority.retired_at.is_(None),
                )
                .order_by(CaAuthority.id.desc())
                .limit(1)
            )
            slug = rows.scalar_one_or_none()
        if slug is None:
            raise AuthorityNotFound(f"the CA backend {backend_id} has no issuing authority")
        self._issuing[backend_id] = slug
        return await self.by_slug(slug)

    async def by_slug(self, slug: str) -> OpenAuthority:
        """Return the authority of this slug; raises as :meth:`issuing` does."""
        if slug not in self._open:
            async with self._db.read() as session:
                return await self.open(session, slug)
        return self._open[slug]

    async def open(self, session: AsyncSession, slug: str) -> OpenAuthority:
        """Return the authority of this slug, read in the caller's transaction if it is not in memory."""
        known = self._open.get(slug)
        if known is None:
            known = await self._unlocked(session, slug)
            self._open[slug] = known
        return known

    def forget(self, backend_id: int) -> None:
        """Look up again which authority issues for a backend, and where it is published."""
        self._issuing.pop(backend_id, None)
        for slug in [slug for slug, owner in self._backends.items() if owner == backend_id]:
            del self._backends[slug]
            self._open.pop(slug, None)

    async def revoke(self, backend_id: int, serial_hex: str, *, reason: str, at: datetime) -> None:
        """Put a serial number on the CRL of its authority, in a transaction of its own."""
        async with self._db.write() as uow:
            authority_id = await self._crls.revoke(
                uow, backend_id=backend_id, serial_hex=serial_hex, reason=reason, at=at, opener=self.open
            )
            if authority_id is not None and self.on_revoked is not None:
                uow.after_commit(partial(self.on_revoked, authority_id, int(serial_hex, 16)))

    async def _unlocked(self, session: AsyncSession, slug: str) -> OpenAuthority:
        row = (
            await session.execute(
                select(
                    CaAuthority.id,
                    CaAuthority.backend_id,
                    CaAuthority.certificate,
                    CaAuthority.locked_key,
                    CaAuthority.hsm_key_id,
                    CaAuthority.key_sha256,
                    CaAuthority.signature_algorithm,
                    CaAuthority.trial_until,
                    CaAuthority.role,
                    CaAuthority.crl_shards,
                    CaAuthority.crl_base,
                    CaBackendRow.settings,
                )
                .join(CaBackendRow, CaBackendRow.id == CaAuthority.backend_id)
                .where(CaAuthority.slug == slug)
            )
        ).one_or_none()
        if row is None:
            raise AuthorityNotFound(f"there is no certification authority {slug!r}")
        signer = self._signer(row, slug)
        addresses = StatusAddresses(
            base=row.settings.get("status_url") or self._public_url,
            slug=slug,
            shards=row.crl_shards,
            crl_base=row.crl_base,
            has_ocsp=answers_ocsp(row.role, row.settings),
        )
        ca = PrivateCa(row.certificate, signer, urls=addresses.urls)
        chain = await chain_of(session, row.id)
        self._backends[slug] = row.backend_id
        return OpenAuthority(row.id, slug, ca, chain, addresses, trial_until=row.trial_until)

    def _signer(self, row: Any, slug: str) -> Signer:
        algorithm = SignatureAlgorithm(row.signature_algorithm) if row.signature_algorithm else None
        try:
            if row.locked_key is not None:
                return SoftwareSigner.unlock(
                    row.locked_key, self._kek, key_sha256=row.key_sha256, algorithm=algorithm
                )
            if row.hsm_key_id is None:
                raise AuthorityKeyUnavailable(f"the key of {slug} is offline: others sign with it")
            if self._hsm is None:
                raise AuthorityKeyUnavailable(f"the key of {slug} is in an HSM, and this hub has none set up")
            public_key = decode_public_key(spki_der(load_certificate(row.certificate).public_key()))
            return self._hsm.signer(row.hsm_key_id, public_key, algorithm)
        except PkiError as fault:
            raise AuthorityKeyUnavailable(f"the key of {slug} can't be opened: {fault}") from fault


def answers_ocsp(role: str, settings: dict[str, Any]) -> bool:
    """Tell whether an authority has an OCSP responder: issuing ones, unless the backend's settings say no."""
    # A root's key comes out rarely; what little it revokes is on its list.
    return role == "issuing" and bool(settings.get("ocsp", True))


async def chain_of(session: AsyncSession, authority_id: int) -> tuple[bytes, ...]:
    """Return an authority's certificate and those above it, the root last, as DER."""
    chain: list[bytes] = []
    next_id: int | None = authority_id
    while next_id is not None and len(chain) < _MAX_DEPTH:
        row = (
            await session.execute(
                select(CaAuthority.certificate, CaAuthority.parent_id).where(CaAuthority.id == next_id)
            )
        ).one()
        chain.append(row.certificate)
        next_id = row.parent_id
    return tuple(chain)
