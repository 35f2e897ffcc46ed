"""A new key for a CA under the same name (RFC 4210, 4.4).

A root gets a new self-signed certificate, and two that tie the keys together: the old key certified by the
new one, so that who trusts only the new root takes what the old one signed, and the new key certified by the
old one, so that who trusts only the old root takes what the new one signs. An issuing CA gets a new
certificate from the CA above it, which all trust anyway. From then on the new key issues; the old one goes on
signing its own lists and answers until it ends.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from cryptography import x509
from cryptography.x509.oid import NameOID
from sqlalchemy import insert, update

from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.issuers.hierarchies import ceremonies, store
from hub.issuers.hierarchies.errors import CaStateForbids
from hub.issuers.hierarchies.offline import OfflineCas
from hub.issuers.hierarchies.records import Hash, KeyStore, NewCa, PrivateCa
from hub.issuers.hierarchies.service import Certified, PrivateCaService, check_new, check_parent
from hub.issuers.models import CaAuthority, CaCrossCertificate
from hub.issuers.private_ca.authority import PrivateCa as SigningCa
from hub.issuers.private_ca.authority import SubordinateRequest
from hub.issuers.private_ca.ports import OpenAuthority
from pki.certificates import load_certificate, parse_certificate
from pki.keys import spki_der
from pki.name_constraints import read_name_constraints
from pki.names import SubjectFields
from pki.templates import ANY_POLICY, SERIAL_RANDOM_BYTES, SubjectRef, Validity

OLD_WITH_NEW, NEW_WITH_OLD = "old_with_new", "new_with_old"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloverChoice:
    """What may differ from the CA as it is; empty: nothing does."""

    key_type: str = ""
    key_store: KeyStore | None = None
    days: int = 0


@dataclass(frozen=True, slots=True)
class _Cross:
    kind: str
    certificate: bytes = field(repr=False)


class Rollover:
    """Gives CAs new keys."""

    def __init__(self, cas: PrivateCaService, offline: OfflineCas) -> None:
        self._cas = cas
        self._offline = offline
        self._db = cas.db

    async def roll_over(
        self, ca_id: int, choice: RolloverChoice, *, principal: Principal
    ) -> tuple[int | None, int | None]:
        """Make the new key; return the id of the new CA, or of the signing request if its root is offline.

        Raises:
            PrivateCaNotFound, CaStateForbids: there is no such CA, or it is not the one in use.
            ParentUnusable, InvalidCa, HsmUnavailable: as when a CA is made.
        """
        async with self._db.read() as session:
            old = await store.one_ca(session, ca_id)
            parents = {item.id: item for item in await store.all_cas(session)}
        if old.state(self._db.clock()) != "signed" or old.key_store == "offline":
            raise CaStateForbids(f"{old.name} is not a CA that this hub signs with now")
        parent = None if old.parent_id is None else _in_use(parents[old.parent_id], parents.values())
        new = _as_before(old, choice, None if parent is None else parent.id)
        if parent is not None and parent.key_store == "offline":
            asked = replace(new, parent_id=None, external=True)
            return None, await self._offline.request(asked, principal=principal, backend_id=old.backend_id)
        check_new(new)
        return await self._with_key_here(old, new, parent, principal=principal), None

    async def _with_key_here(
        self, old: PrivateCa, new: NewCa, parent: PrivateCa | None, *, principal: Principal
    ) -> int:
        async with self._db.read() as session:
            signing = await self._cas.issuers.authority_store.open(session, old.slug)
            above = None
            if parent is not None:
                check_parent(parent, self._db.clock())
                above = await self._cas.issuers.authority_store.open(session, parent.slug)
        made = await self._cas.certify(new, above)
        crosses = [] if above is not None else await asyncio.to_thread(self._crosses, signing, made)
        async with self._db.write() as uow:
            await self._retire(uow, old)
            ca_id = await self._cas.keep(uow, made, new, backend_id=old.backend_id, principal=principal)
            await self._keep_crosses(uow, old.id, ca_id, crosses)
            await uow.session.execute(
                update(CaAuthority).where(CaAuthority.id == ca_id).values(trial_until=old.trial_until)
            )
            fresh = await store.one_ca(uow.session, ca_id)
            details = {
                "takes_over_from": old.key_sha256,
                "cross_certificates": {
                    cross.kind: parse_certificate(cross.certificate).sha256 for cross in crosses
                },
            }
            await ceremonies.note(uow, "PrivateCaRolledOver", fresh, principal=principal, more=details)
            self._cas.forget_after(uow, old.backend_id)
        await self._cas.issuers.roll_over_responders()
        return ca_id

    async def _retire(self, uow: UnitOfWork, old: PrivateCa) -> None:
        changed = await uow.session.execute(
            update(CaAuthority)
            .where(CaAuthority.id == old.id, CaAuthority.retired_at.is_(None))
            .values(retired_at=uow.now)
            .returning(CaAuthority.id)
        )
        if changed.one_or_none() is None:
            raise CaStateForbids(f"{old.name} got another key at the same time")

    def _crosses(self, old: OpenAuthority, made: Certified) -> list[_Cross]:
        # Status addresses of the new key are those of its slug.
        addresses = replace(old.addresses, slug=made.slug)
        new = SigningCa(made.certificate, made.key.signer, urls=addresses.urls)
        return [
            _Cross(OLD_WITH_NEW, _certify(new, old.ca)),
            _Cross(NEW_WITH_OLD, _certify(old.ca, new)),
        ]

    async def _keep_crosses(self, uow: UnitOfWork, old_id: int, new_id: int, crosses: list[_Cross]) -> None:
        for cross in crosses:
            of_old = cross.kind == OLD_WITH_NEW
            issuer_id = new_id if of_old else old_id
            await uow.session.execute(
                insert(CaCrossCertificate).values(
                    authority_id=old_id if of_old else new_id,
                    issuer_id=issuer_id,
                    kind=cross.kind,
                    certificate=cross.certificate,
                    created_at=uow.now,
                )
            )
            facts = parse_certificate(cross.certificate)
            await store.record_serial(uow, issuer_id, facts.serial, facts.not_after)


def _certify(issuer: SigningCa, subject: SigningCa) -> bytes:
    certificate = load_certificate(subject.certificate)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    request = SubordinateRequest(
        random=os.urandom(SERIAL_RANDOM_BYTES),
        validity=Validity(
            max(issuer.facts.not_before, subject.facts.not_before),
            min(issuer.facts.not_after, subject.facts.not_after),
        ),
        subject=SubjectRef(certificate.subject.public_bytes(), spki_der(certificate.public_key())),
        path_length=constraints.path_length,
    )
    return issuer.sign(issuer.prepare_subordinate(request).tbs)


def _in_use(ca: PrivateCa, all_cas: Iterable[PrivateCa]) -> PrivateCa:
    """Return the CA of the same backend whose key is in use now."""
    same = [
        item
        for item in all_cas
        if item.backend_id == ca.backend_id and item.role == ca.role and item.retired_at is None
    ]
    return max(same, key=lambda item: item.id, default=ca)


def _as_before(old: PrivateCa, choice: RolloverChoice, parent_id: int | None) -> NewCa:
    certificate = load_certificate(old.certificate)
    key_type = choice.key_type or parse_certificate(old.certificate).key_type
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    template = f"{key_type.lower()}-{old.role}"
    store_name: KeyStore = choice.key_store or ("hsm" if old.key_store == "hsm" else "software")
    return NewCa(
        name=old.name,
        template=template,
        subject=_subject(certificate),
        parent_id=parent_id,
        key_store=store_name,
        signature_hash=_hash_of(old.signature_algorithm) if key_type.startswith(("RSA", "EC")) else "",
        days=choice.days,
        path_length=constraints.path_length,
        name_constraints=read_name_constraints(certificate),
        policies=_policies(certificate),
    )


def _hash_of(algorithm: str) -> Hash:
    names: tuple[Hash, ...] = ("SHA-256", "SHA-384", "SHA-512")
    return next((name for name in names if name.removeprefix("SHA-") in algorithm), "")


def _subject(certificate: x509.Certificate) -> SubjectFields:
    def first(oid: x509.ObjectIdentifier) -> str:
        found = certificate.subject.get_attributes_for_oid(oid)
        return str(found[0].value) if found else ""

    return SubjectFields(
        common_name=first(NameOID.COMMON_NAME),
        organization=first(NameOID.ORGANIZATION_NAME),
        organizational_unit=first(NameOID.ORGANIZATIONAL_UNIT_NAME),
        locality=first(NameOID.LOCALITY_NAME),
        state=first(NameOID.STATE_OR_PROVINCE_NAME),
        country=first(NameOID.COUNTRY_NAME),
    )


def _policies(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        value = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return (ANY_POLICY,)
    return tuple(item.policy_identifier.dotted_string for item in value)
