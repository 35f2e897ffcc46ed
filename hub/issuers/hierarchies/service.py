"""Making and keeping private CAs. Keys and signatures are made first, outside transactions, then stored.

A crash in between leaves nothing that counts: a certificate that was never stored was never given to anybody.
In an HSM it leaves a key that no CA has; its label says when it was made and for what.
"""

from __future__ import annotations

import asyncio
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.issuers.hierarchies import ceremonies, store
from hub.issuers.hierarchies.checks import NEW_CA_CHECKS
from hub.issuers.hierarchies.errors import CaStateForbids, InvalidCa, ParentUnusable
from hub.issuers.hierarchies.keys import CaKey, KeyMaker
from hub.issuers.hierarchies.records import (
    CA_TEMPLATES,
    TRIAL_DAYS,
    CrossCertificate,
    NewCa,
    PrivateCa,
    SigningRequest,
    signature_algorithm,
)
from hub.issuers.models import CaAuthority
from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.issuers.private_ca.ceremony import CaSpec, certify_issuing_ca, certify_root
from hub.issuers.private_ca.ports import OpenAuthority
from hub.issuers.service import IssuerService
from pki.at_rest import KeyEncryptionKey
from pki.certificates import load_certificate
from pki.errors import InvalidName, InvalidTemplate, MalformedDer
from pki.keys import spki_sha256
from pki.names import SubjectFields, encode_name
from pki.templates import SERIAL_RANDOM_BYTES, Validity

# CAs begin a little earlier than they are made, for clocks that are slow.
_BACKDATE = timedelta(hours=1)
_MAX_TRIAL_DAYS = 365


@dataclass(frozen=True, slots=True)
class Certified:
    """A CA that is made and not stored yet."""

    slug: str
    key: CaKey
    certificate: bytes


class PrivateCaService:
    """Private CAs, for the console's wizard and the API."""

    def __init__(self, db: Database, kek: KeyEncryptionKey, issuers: IssuerService) -> None:
        self.db = db
        self.issuers = issuers
        self.keys = KeyMaker(kek, issuers.hsm)

    async def list(self) -> tuple[Sequence[PrivateCa], Sequence[SigningRequest]]:
        """Return all private CAs, and those that wait for their certificate."""
        async with self.db.read() as session:
            return await store.all_cas(session), await store.requests(session)

    async def get(self, ca_id: int) -> tuple[PrivateCa, Sequence[CrossCertificate]]:
        """Return one with its cross-certificates; raise PrivateCaNotFound."""
        async with self.db.read() as session:
            return await store.one_ca(session, ca_id), await store.cross_certificates(session, ca_id)

    async def create(self, new: NewCa, *, principal: Principal) -> int:
        """Make a root, or an issuing CA that a CA of this hub signs; return its id.

        Raises:
            InvalidCa: a choice that no CA can have; its field is named.
            PrivateCaNotFound, ParentUnusable: there is no such parent, or it can't sign this.
            HsmNotConfigured, HsmUnavailable: the key can't be made in the HSM.
            BackendNameTaken: the name is in use.
        """
        check_new(new)
        await self.check_name(new.name)
        parent = None if new.parent_id is None else await self._parent(new.parent_id)
        made = await self.certify(new, parent)
        async with self.db.write() as uow:
            backend_id = await self._backend(uow, new.name, principal)
            ca_id = await self.keep(uow, made, new, backend_id=backend_id, principal=principal)
        await self.issuers.roll_over_responders()
        return ca_id

    async def certify(self, new: NewCa, parent: OpenAuthority | None) -> Certified:
        """Make key and certificate; nothing is stored. Raises as :meth:`create`."""
        template = CA_TEMPLATES[new.template]
        begin = self.db.clock().replace(microsecond=0) - _BACKDATE
        end = template.not_after(begin, new.days)
        if parent is not None:
            begin = max(begin, parent.ca.facts.not_before)
            end = min(end, parent.ca.facts.not_after)
        if end <= self.db.clock():
            raise InvalidCa(
                f"a CA of template {template.name} would have ended on {end:%Y-%m-%d}", field="template"
            )
        try:
            return await asyncio.to_thread(self._certified, new, parent, Validity(begin, end))
        except InvalidName as fault:
            raise InvalidCa(str(fault), field="subject") from fault
        except (InvalidTemplate, MalformedDer) as fault:
            raise InvalidCa(str(fault)) from fault

    async def check_name(self, name: str) -> None:
        """Raise BackendNameTaken before a key is made, which would stay in an HSM.

        Of two that take a name at the same moment the second fails when it is stored.
        """
        async with self.db.read() as session:
            await self.issuers.check_name(session, name.strip())

    def make_key(self, new: NewCa, title: str) -> CaKey:
        """Make the key of a new CA; blocks. Raises InvalidName, and what ``KeyMaker.make`` raises."""
        # Before there is a key: in an HSM it would stay.
        encode_name(full_subject(new))
        key_type = CA_TEMPLATES[new.template].key_type
        label = f"{new.name.strip()} {title} {self.db.clock():%Y-%m-%d}"
        return self.keys.make(
            new.key_store, key_type, signature_algorithm(key_type, new.signature_hash), label=label
        )

    def _certified(self, new: NewCa, parent: OpenAuthority | None, validity: Validity) -> Certified:
        role = CA_TEMPLATES[new.template].role
        key = self.make_key(new, role)
        spec = CaSpec(
            subject=full_subject(new),
            key_type=CA_TEMPLATES[new.template].key_type,
            validity=validity,
            random=os.urandom(SERIAL_RANDOM_BYTES),
            path_length=new.path_length,
            name_constraints=new.name_constraints,
            policies=new.policies,
        )
        if parent is None:
            certificate = certify_root(spec, key.signer)
        else:
            certificate = certify_issuing_ca(spec, key.signer.public_key, parent=parent.ca)
        return Certified(slug_of(new.name, role, spki_sha256(key.signer.public_key)), key, certificate)

    async def keep(
        self, uow: UnitOfWork, made: Certified, new: NewCa, *, backend_id: int, principal: Principal
    ) -> int:
        """Store a CA with its first list, and note it in the ceremony log; return its id."""
        in_trial = new.trial
        if new.parent_id is not None:
            # What a CA in trial mode signs is in trial mode as well.
            in_trial = in_trial or (await store.one_ca(uow.session, new.parent_id)).trial_until is not None
        values: dict[str, Any] = {
            "role": CA_TEMPLATES[new.template].role,
            "slug": made.slug,
            "signature_algorithm": made.key.signer.algorithm.value,
            "trial_until": uow.now + timedelta(days=TRIAL_DAYS) if in_trial else None,
            **made.key.columns,
        }
        ca_id = await store.add_ca(
            uow, made.certificate, backend_id=backend_id, parent_id=new.parent_id, values=values
        )
        authority = await self.issuers.authority_store.open(uow.session, made.slug)
        await self.issuers.crl_publisher.publish(uow, authority)
        created = await store.one_ca(uow.session, ca_id)
        uow.emit(Event(kind="PrivateCaCreated", object_type="ca_authority", object_id=str(ca_id)))
        await ceremonies.note(uow, "PrivateCaCreated", created, principal=principal)
        return ca_id

    async def change_trial(
        self, ca_id: int, *, action: str, days: int = TRIAL_DAYS, principal: Principal
    ) -> None:
        """Extend a trial by some days, end it now, or leave trial mode for good.

        Raises:
            PrivateCaNotFound, CaStateForbids: there is no such CA, or it is not in trial mode.
            InvalidCa: more days than a trial may get at once.
        """
        if not 1 <= days <= _MAX_TRIAL_DAYS:
            raise InvalidCa(f"a trial is extended by 1 to {_MAX_TRIAL_DAYS} days", field="days")
        async with self.db.write() as uow:
            ca = await store.one_ca(uow.session, ca_id)
            if ca.trial_until is None:
                raise CaStateForbids(f"{ca.name} is not in trial mode")
            until = {
                "extend": max(ca.trial_until, uow.now) + timedelta(days=days),
                "end": min(ca.trial_until, uow.now),
                "leave": None,
            }[action]
            await uow.session.execute(
                update(CaAuthority).where(CaAuthority.id == ca_id).values(trial_until=until)
            )
            details = {"action": action, "until": None if until is None else until.isoformat()}
            await ceremonies.note(uow, "PrivateCaTrialChanged", ca, principal=principal, more=details)
            self.forget_after(uow, ca.backend_id)

    async def revoke(self, ca_id: int, *, reason: str, principal: Principal) -> None:
        """Put a CA's certificate on the list of the CA above it.

        Raises:
            PrivateCaNotFound, CaStateForbids: there is no such CA, or it is a root.
            InvalidRevocation: not a reason of RFC 5280.
            ParentUnusable: the CA above is offline, and its list is made elsewhere.
        """
        async with self.db.write() as uow:
            ca = await store.one_ca(uow.session, ca_id)
            if ca.parent_id is None:
                raise CaStateForbids("nobody can revoke a root; take it out of the trust stores")
            parent = await store.one_ca(uow.session, ca.parent_id)
            if parent.key_store == "offline":
                raise ParentUnusable(
                    f"revoke it with {parent.name}, which is offline, and import its new CRL"
                )
            serial = f"{load_certificate(ca.certificate).serial_number:x}"
            # CAs that were made before the ledger had them: it says on whose list they belong.
            await store.record_serial(uow, parent.id, serial, ca.not_after)
            await self.issuers.certificate_revoked(
                uow, backend_id=parent.backend_id, serial_hex=serial, reason=reason, at=uow.now
            )
            await uow.session.execute(
                update(CaAuthority)
                .where(CaAuthority.id == ca_id, CaAuthority.retired_at.is_(None))
                .values(retired_at=uow.now)
            )
            await ceremonies.note(uow, "PrivateCaRevoked", ca, principal=principal, more={"reason": reason})
            self.forget_after(uow, ca.backend_id)

    def forget_after(self, uow: UnitOfWork, backend_id: int) -> None:
        """Have this process look a backend's CAs up again once the transaction is committed."""
        uow.after_commit(lambda: self.issuers.authority_store.forget(backend_id))

    async def _parent(self, parent_id: int) -> OpenAuthority:
        async with self.db.read() as session:
            record = await store.one_ca(session, parent_id)
            check_parent(record, self.db.clock())
            return await self.issuers.authority_store.open(session, record.slug)

    async def _backend(self, uow: UnitOfWork, name: str, principal: Principal) -> int:
        return await self.issuers.create_backend(
            uow,
            name=name.strip(),
            kind=PrivateCaBackend.kind,
            settings=PrivateCaBackend.settings_model().model_dump(),
            principal=principal,
        )


def check_new(new: NewCa) -> None:
    """Raise InvalidCa with the first thing that is wrong."""
    for field, check in NEW_CA_CHECKS:
        finding = check(new)
        if finding is not None:
            raise InvalidCa(f"{finding.reason}: {finding.message}", field=field)


def check_parent(parent: PrivateCa, at: datetime) -> None:
    """Raise ParentUnusable for a CA that can't sign others now."""
    if parent.role != "root":
        raise ParentUnusable(f"{parent.name} is an issuing CA, which certifies no CAs")
    if parent.key_store == "offline":
        raise ParentUnusable(f"{parent.name} is offline: make a signing request and have it signed there")
    if parent.state(at) != "signed" or at < parent.not_before:
        raise ParentUnusable(f"{parent.name} is {parent.state(at)} and signs no more CAs")
    if parent.trial_until is not None and parent.trial_until <= at:
        raise ParentUnusable(f"the trial of {parent.name} is over; extend it first")


def full_subject(new: NewCa) -> SubjectFields:
    """Return the subject with a common name: the organization's, and what kind of CA it is."""
    if new.subject.common_name:
        return new.subject
    title = "Root CA" if CA_TEMPLATES[new.template].role == "root" else "Issuing CA"
    room = 64 - len(title) - 1
    return replace(new.subject, common_name=f"{new.subject.organization[:room]} {title}")


def slug_of(name: str, role: str, key_sha256: str) -> str:
    """Return what stands for a CA in the addresses that its certificates carry."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))[:40] or "ca"
    return f"{words}-{role}-{key_sha256[:8]}"
