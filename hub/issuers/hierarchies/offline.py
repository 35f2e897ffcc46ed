"""CAs whose key stays elsewhere: importing an offline root and its lists, and what it signs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import delete, insert, select, update

from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.http.principal import Principal
from hub.issuers.errors import AuthorityNotFound
from hub.issuers.hierarchies import ceremonies, store
from hub.issuers.hierarchies.checks import (
    CRL_CHECKS,
    ROOT_CHECKS,
    SIGNED_CHECKS,
    CrlImport,
    RootImport,
    SignedImport,
)
from hub.issuers.hierarchies.errors import CaStateForbids, ImportRefused, InvalidCa, PrivateCaNotFound
from hub.issuers.hierarchies.keys import CaKey
from hub.issuers.hierarchies.records import NewCa, PrivateCa
from hub.issuers.hierarchies.service import PrivateCaService, check_new, full_subject, slug_of
from hub.issuers.models import CaAuthority, CaCrl, CaSigningRequest
from hub.issuers.private_ca.backend import PrivateCaBackend
from pki.certificates import CertificateFacts, load_certificate, parse_certificate
from pki.csrs import CsrSigner, build_csr_with
from pki.encodings import read_certificates
from pki.errors import LIBRARY_FAULTS, InvalidName, PkiError
from pki.findings import Finding, first_finding
from pki.keys import spki_sha256
from pki.subject_alt_names import AltNames

_MAX_CRL_BYTES = 32 * 1024 * 1024
# Far away: an imported list is never due, because nobody here can make the next.
_NEVER = timedelta(days=365 * 100)


class OfflineCas:
    """What is done with CAs whose key, or whose parent's key, is not here."""

    def __init__(self, cas: PrivateCaService) -> None:
        self._cas = cas
        self._db = cas.db

    async def request(self, new: NewCa, *, principal: Principal, backend_id: int | None = None) -> int:
        """Make the key of an issuing CA and its signing request; return the request's id.

        ``backend_id``: the CA takes over in a backend that is there. Raises as ``PrivateCaService.create``.
        """
        check_new(new)
        if backend_id is None:
            await self._cas.check_name(new.name)
        try:
            key, csr = await asyncio.to_thread(self._key_and_csr, new)
        except InvalidName as fault:
            raise InvalidCa(str(fault), field="subject") from fault
        async with self._db.write() as uow:
            rows = await uow.session.execute(
                insert(CaSigningRequest)
                .values(
                    backend_id=backend_id,
                    name=new.name.strip(),
                    csr=csr,
                    key_sha256=spki_sha256(key.signer.public_key),
                    signature_algorithm=key.signer.algorithm.value,
                    created_at=uow.now,
                    **key.columns,
                )
                .returning(CaSigningRequest.id)
            )
            request_id: int = rows.scalar_one()
            made = await store.request(uow.session, request_id)
            await ceremonies.note_request(uow, "PrivateCaRequested", made, principal=principal)
        return request_id

    def _key_and_csr(self, new: NewCa) -> tuple[CaKey, bytes]:
        key = self._cas.make_key(new, "issuing")
        signer = CsrSigner(key.signer.public_key, key.signer.algorithm, key.signer.sign)
        return key, build_csr_with(signer, full_subject(new), AltNames())

    async def export(self, request_id: int, *, principal: Principal) -> bytes:
        """Return a signing request as DER, and note who took it; raise PrivateCaNotFound."""
        async with self._db.write() as uow:
            request = await store.request(uow.session, request_id)
            await ceremonies.note_request(uow, "PrivateCaCsrExported", request, principal=principal)
        return request.csr

    async def withdraw(self, request_id: int, *, principal: Principal) -> None:
        """Forget a signing request and its key; raise PrivateCaNotFound."""
        async with self._db.write() as uow:
            request = await store.request(uow.session, request_id)
            await ceremonies.note_request(uow, "PrivateCaRequestWithdrawn", request, principal=principal)
            await uow.session.execute(delete(CaSigningRequest).where(CaSigningRequest.id == request_id))

    async def import_signed(self, request_id: int, data: bytes, *, principal: Principal) -> int:
        """Take the certificate of an issuing CA that was signed elsewhere; return the CA's id.

        Raises:
            PrivateCaNotFound: there is no such request, or it has its certificate already.
            ImportRefused: a check of :data:`SIGNED_CHECKS` failed; the request stays.
        """
        facts = _one_certificate(data)
        async with self._db.write() as uow:
            request = await store.request(uow.session, request_id)
            parent = await self._signed_by(uow, request.csr, request.key_sha256, facts)
            backend_id = request.backend_id
            if backend_id is None:
                backend_id = await self._cas.issuers.create_backend(
                    uow,
                    name=request.name,
                    kind=PrivateCaBackend.kind,
                    settings=PrivateCaBackend.settings_model().model_dump(),
                    principal=principal,
                )
            ca_id = await self._take_over(uow, request_id, facts, backend_id=backend_id, parent=parent)
            ca = await store.one_ca(uow.session, ca_id)
            await ceremonies.note(uow, "PrivateCaSignedElsewhere", ca, principal=principal)
            self._cas.forget_after(uow, backend_id)
        await self._cas.issuers.roll_over_responders()
        return ca_id

    async def _signed_by(
        self, uow: UnitOfWork, csr: bytes, key_sha256: str, facts: CertificateFacts
    ) -> PrivateCa:
        roots = [item for item in await store.all_cas(uow.session) if item.role == "root"]
        given = SignedImport(
            facts=facts,
            key_sha256=key_sha256,
            csr=csr,
            issuers=[parse_certificate(item.certificate) for item in roots],
            at=uow.now,
        )
        finding = first_finding(SIGNED_CHECKS, given)
        if finding is not None or given.issuer is None:
            raise ImportRefused(finding or Finding("IssuerUnknown", "nobody signed it"), field="certificate")
        return next(item for item in roots if item.certificate == given.issuer.der)

    async def _take_over(
        self,
        uow: UnitOfWork,
        request_id: int,
        facts: CertificateFacts,
        *,
        backend_id: int,
        parent: PrivateCa,
    ) -> int:
        # One of two imports at the same time gets the row.
        row = (
            await uow.session.execute(
                delete(CaSigningRequest)
                .where(CaSigningRequest.id == request_id)
                .returning(
                    CaSigningRequest.name,
                    CaSigningRequest.locked_key,
                    CaSigningRequest.hsm_key_id,
                    CaSigningRequest.signature_algorithm,
                )
            )
        ).one_or_none()
        if row is None:
            raise PrivateCaNotFound(f"there is no signing request {request_id}")
        await uow.session.execute(
            update(CaAuthority)
            .where(
                CaAuthority.backend_id == backend_id,
                CaAuthority.role == "issuing",
                CaAuthority.retired_at.is_(None),
            )
            .values(retired_at=uow.now)
        )
        slug = slug_of(row.name, "issuing", facts.spki_sha256)
        ca_id = await store.add_ca(
            uow,
            facts.der,
            backend_id=backend_id,
            parent_id=parent.id,
            values={
                "role": "issuing",
                "slug": slug,
                "signature_algorithm": row.signature_algorithm,
                "locked_key": row.locked_key,
                "hsm_key_id": row.hsm_key_id,
            },
        )
        authority = await self._cas.issuers.authority_store.open(uow.session, slug)
        await self._cas.issuers.crl_publisher.publish(uow, authority)
        uow.emit(Event(kind="PrivateCaCreated", object_type="ca_authority", object_id=str(ca_id)))
        return ca_id

    async def import_root(self, name: str, data: bytes, *, crl: bytes | None, principal: Principal) -> int:
        """Take the certificate of an offline root, and its CRL if there is one; return the CA's id.

        Raises:
            ImportRefused: it is no root, not valid now, or the list is not its own.
            CaStateForbids: the root is here already.
            BackendNameTaken: the name is in use.
        """
        facts = _one_certificate(data)
        async with self._db.write() as uow:
            finding = first_finding(ROOT_CHECKS, RootImport(facts=facts, at=uow.now))
            if finding is not None:
                raise ImportRefused(finding, field="certificate")
            if any(item.certificate == facts.der for item in await store.all_cas(uow.session)):
                raise CaStateForbids("this root is here already")
            backend_id = await self._cas.issuers.create_backend(
                uow,
                name=name.strip(),
                kind=PrivateCaBackend.kind,
                settings=PrivateCaBackend.settings_model().model_dump(),
                principal=principal,
            )
            values = {"role": "root", "slug": slug_of(name, "root", facts.spki_sha256)}
            ca_id = await store.add_ca(uow, facts.der, backend_id=backend_id, parent_id=None, values=values)
            ca = await store.one_ca(uow.session, ca_id)
            await ceremonies.note(uow, "PrivateCaRootImported", ca, principal=principal)
            if crl is not None:
                await self._store_crl(uow, ca, crl)
        return ca_id

    async def import_crl(self, ca_id: int, data: bytes, *, principal: Principal) -> None:
        """Take a new list of an offline CA.

        Raises:
            PrivateCaNotFound, CaStateForbids: there is no such CA, or the hub makes its lists itself.
            ImportRefused: a check of :data:`CRL_CHECKS` failed.
        """
        async with self._db.write() as uow:
            ca = await store.one_ca(uow.session, ca_id)
            if ca.key_store != "offline":
                raise CaStateForbids(f"the hub itself makes the lists of {ca.name}")
            number = await self._store_crl(uow, ca, data)
            await ceremonies.note(
                uow, "PrivateCaCrlImported", ca, principal=principal, more={"crl_number": number}
            )

    async def _store_crl(self, uow: UnitOfWork, ca: PrivateCa, data: bytes) -> int:
        mine = (CaCrl.authority_id == ca.id, CaCrl.shard == 0)
        await uow.session.execute(
            insert_for(uow.session, CaCrl).on_conflict_do_nothing(),
            [
                {"authority_id": ca.id, "shard": 0, "refresh_at": uow.now + _NEVER}
                | {"number": 0, "revision": 0, "entries": 0}
            ],
        )
        known = await uow.session.scalar(select(CaCrl.number).where(*mine))
        crl = _read_crl(data)
        try:
            given = CrlImport(
                crl=crl,
                issuer=load_certificate(ca.certificate),
                number=_number(crl),
                known=known or 0,
                at=uow.now,
            )
            finding = first_finding(CRL_CHECKS, given)
        except LIBRARY_FAULTS as fault:
            raise ImportRefused(Finding("CrlMalformed", f"it can't be read: {fault}"), field="crl") from fault
        if finding is not None or given.number is None:
            raise ImportRefused(finding or Finding("CrlNumberMissing", "no number"), field="crl")
        changed = await uow.session.execute(
            update(CaCrl)
            .where(*mine, CaCrl.number < given.number)
            .values(
                der=crl.public_bytes(_DER),
                number=given.number,
                entries=len(crl),
                this_update=crl.last_update_utc,
                next_update=crl.next_update_utc,
            )
            .returning(CaCrl.number)
        )
        if changed.one_or_none() is None:
            raise AuthorityNotFound("another list was imported at the same time")
        return given.number


_DER = Encoding.DER


def _one_certificate(data: bytes) -> CertificateFacts:
    try:
        found = read_certificates(data)
        if len(found) != 1:
            raise ImportRefused(
                Finding("NotOneCertificate", f"give the CA's certificate alone, not {len(found)} of them"),
                field="certificate",
            )
        facts = parse_certificate(found[0])
    except PkiError as fault:
        raise ImportRefused(Finding("CertificateMalformed", str(fault)), field="certificate") from fault
    if facts.unreadable:
        raise ImportRefused(
            Finding("CertificateMalformed", f"can't read its {', '.join(facts.unreadable)}"),
            field="certificate",
        )
    return facts


def _read_crl(data: bytes) -> x509.CertificateRevocationList:
    if len(data) > _MAX_CRL_BYTES:
        raise ImportRefused(Finding("CrlTooLarge", "the list is larger than 32 MiB"), field="crl")
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_crl(data)
        return x509.load_der_x509_crl(data)
    except LIBRARY_FAULTS as fault:
        raise ImportRefused(Finding("CrlMalformed", "it is no CRL in PEM or DER"), field="crl") from fault


def _number(crl: x509.CertificateRevocationList) -> int | None:
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return None
