"""CA backends: the only way in for other rooms.

The lifecycle asks for a backend, lets it prepare, commits the intent together with :meth:`record_intent`, and
then lets it submit.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.errors import HubError
from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.issuers import backend_settings, configuration, ledger
from hub.issuers.authorities import AuthorityStore, chain_of
from hub.issuers.configuration import BackendChanges
from hub.issuers.contract import BackendContext, CaBackend, Intent
from hub.issuers.crls import CRLS_DUE, CrlPublisher, PublishedCrl
from hub.issuers.errors import AuthorityNotFound, BackendDisabled, BackendNameTaken, BackendNotFound
from hub.issuers.health import HealthBook
from hub.issuers.hierarchies import ceremonies
from hub.issuers.hierarchies import store as hierarchy_store
from hub.issuers.hierarchy import HierarchyMaterial, HierarchySpec, make_hierarchy, store_authority
from hub.issuers.keepsakes import KeepsakeStore
from hub.issuers.models import CaAuthority, CaBackendRow, CaCrl, key_store
from hub.issuers.ocsp.export import ExportReport, StatusExport
from hub.issuers.ocsp.responders import ResponderRecord, Responders
from hub.issuers.ocsp.service import OcspService
from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.issuers.private_ca.hsm import Hsm
from hub.issuers.records import AuthorityRecord, BackendRecord, CrlRecord, Health, HealthState
from hub.issuers.registry import BackendKinds, installed_kinds, kind_named
from hub.organizations.dcv.challenge_answering import ChallengeAgents, DnsWriters
from pki.at_rest import KeyEncryptionKey
from pki.encodings import certificates_pem

__all__ = [
    "AuthorityRecord",
    "BackendChanges",
    "BackendRecord",
    "Health",
    "HealthState",
    "HierarchySpec",
    "IssuerService",
    "PublishedCrl",
]

# How long another replica's change to a backend's settings may go unseen here.
_BACKEND_MEMORY = timedelta(seconds=5)

_BACKEND_COLUMNS = (
    CaBackendRow.id,
    CaBackendRow.name,
    CaBackendRow.kind,
    CaBackendRow.settings,
    CaBackendRow.status,
    CaBackendRow.created_at,
)
# Also the longest that a revocation stays off a long list whose notice was lost.
_CRL_CHECK_S = 5.0
_CRL_COLUMNS = (
    CaCrl.authority_id,
    CaCrl.shard,
    CaCrl.number,
    CaCrl.entries,
    CaCrl.this_update,
    CaCrl.next_update,
)
_AUTHORITY_COLUMNS = (
    CaAuthority.id,
    CaAuthority.role,
    CaAuthority.slug,
    CaAuthority.certificate,
    CaAuthority.not_before,
    CaAuthority.not_after,
    CaAuthority.crl_shards,
    CaAuthority.crl_base,
    CaAuthority.parent_id,
    CaAuthority.trial_until,
    CaAuthority.retired_at,
    key_store(),
)


class IssuerService:
    """Opens CA backends, makes private hierarchies, revokes, and publishes CRLs.

    ``public_url`` is where relying parties reach this hub; certificates carry it. ``programs`` is the folder
    of programs that backends may call.
    """

    def __init__(
        self,
        db: Database,
        kek: KeyEncryptionKey,
        *,
        public_url: str,
        kinds: BackendKinds | None = None,
        hsm: Hsm | None = None,
        programs: Path | None = None,
    ) -> None:
        self.db = db
        self._kek = kek
        self._public_url = public_url
        self._kinds = kinds if kinds is not None else installed_kinds()
        self._crls = CrlPublisher()
        self.hsm = hsm
        self._authorities = AuthorityStore(db, kek, public_url=public_url, crls=self._crls, hsm=hsm)
        self._responders = Responders(db, kek, self._authorities)
        self.ocsp = OcspService(db, self._authorities, self._responders)
        self._authorities.on_revoked = self.ocsp.revoked
        self._open: dict[int, tuple[datetime, CaBackend]] = {}
        self._dns: DnsWriters | None = None
        self._agents: ChallengeAgents | None = None
        self._programs = programs
        self._health = HealthBook(db, self.backend)

    def prove_by(self, *, dns: DnsWriters | None, agents: ChallengeAgents | None) -> None:
        """Let backends prove control of names to their CAs; called once, before the first order."""
        self._dns = dns
        self._agents = agents

    @property
    def authority_store(self) -> AuthorityStore:
        """The authorities that the hub signs with; for the parts of this room."""
        return self._authorities

    @property
    def crl_publisher(self) -> CrlPublisher:
        """What makes their lists; for the parts of this room."""
        return self._crls

    @property
    def public_url(self) -> str:
        """Where relying parties reach this hub."""
        return self._public_url

    @property
    def kinds(self) -> BackendKinds:
        """The kinds of CA backends that are installed."""
        return self._kinds

    async def backend(self, session: AsyncSession, backend_id: int) -> CaBackend:
        """Return a backend, ready to take orders.

        Raises:
            BackendNotFound: there is none of this id.
            BackendDisabled: an administrator switched it off.
            UnknownBackendKind, InvalidBackendSettings: its plug-in is gone or has changed.
        """
        known = self._open.get(backend_id)
        now = self.db.clock()
        if known is not None and now - known[0] < _BACKEND_MEMORY:
            return known[1]
        opened = await self._opened(session, backend_id)
        self._open[backend_id] = (now, opened)
        return opened

    async def health(self, session: AsyncSession, backend_ids: Collection[int]) -> Mapping[int, Health]:
        """Return how backends fare, by id."""
        return await self._health.of(session, backend_ids)

    async def backend_asked(self, uow: UnitOfWork, backend_id: int, *, fault: str | None = None) -> None:
        """Note that a backend answered, whatever it said; or, with ``fault``, why it could not be asked."""
        if fault is None:
            await self._health.succeeded(uow, backend_id)
        else:
            await self._health.failed(uow, backend_id, fault)

    async def test(self, backend_id: int) -> HubError | None:
        """Test a backend now and note the outcome; return what is wrong with it."""
        return await self._health.check(backend_id)

    async def check_backends(self) -> int:
        """Test the backends whose test is due; return how many."""
        return await self._health.check_due()

    async def get(self, session: AsyncSession, backend_id: int) -> BackendRecord:
        """Return what is configured; raise BackendNotFound."""
        rows = await session.execute(select(*_BACKEND_COLUMNS).where(CaBackendRow.id == backend_id))
        row = rows.one_or_none()
        if row is None:
            raise BackendNotFound(f"there is no CA backend {backend_id}", field="backend_id")
        return BackendRecord(**row._asdict())

    async def list(self, session: AsyncSession) -> Sequence[BackendRecord]:
        """Return all backends by name."""
        rows = await session.execute(select(*_BACKEND_COLUMNS).order_by(CaBackendRow.name))
        return [BackendRecord(**row._asdict()) for row in rows]

    async def authorities(self, session: AsyncSession, backend_id: int) -> Sequence[AuthorityRecord]:
        """Return the authorities of a backend, the newest issuing CA first and its root after it."""
        rows = await session.execute(
            select(*_AUTHORITY_COLUMNS)
            .where(CaAuthority.backend_id == backend_id)
            .order_by(CaAuthority.role != "issuing", CaAuthority.id.desc())
        )
        found = rows.all()
        crls: dict[int, list[CrlRecord]] = {row.id: [] for row in found}
        lists = await session.execute(
            select(*_CRL_COLUMNS)
            .where(CaCrl.authority_id.in_(list(crls)), CaCrl.der.is_not(None))
            .order_by(CaCrl.authority_id, CaCrl.shard)
        )
        for item in lists:
            crls[item.authority_id].append(CrlRecord(**item._asdict()))
        return [AuthorityRecord(**row._asdict(), crls=tuple(crls[row.id])) for row in found]

    async def responders(self, session: AsyncSession, backend_id: int) -> Sequence[ResponderRecord]:
        """Return the OCSP responders of a backend's authorities, the newest first."""
        return await self._responders.listed(session, backend_id)

    async def chain_pem(self, session: AsyncSession, backend_id: int) -> bytes:
        """Return the issuing CA and its root as PEM, as servers want it below a leaf.

        Raises:
            BackendNotFound, AuthorityNotFound: there is no such backend, or its CA is elsewhere.
        """
        await self.get(session, backend_id)
        authorities = await self.authorities(session, backend_id)
        if not authorities:
            raise AuthorityNotFound("this CA backend has no authority of its own")
        return certificates_pem(await chain_of(session, authorities[0].id))

    async def create_private_hierarchy(
        self, uow: UnitOfWork, spec: HierarchySpec, *, principal: Principal
    ) -> int:
        """Make and store a private CA in one go; return the backend's id.

        For ``hub init``: RSA keys take seconds, during which the transaction is open. Elsewhere
        :meth:`make_hierarchy` and :meth:`store_hierarchy` do it in two steps. Raises as they do.
        """
        return await self.store_hierarchy(uow, await self.make_hierarchy(spec), principal=principal)

    async def make_hierarchy(self, spec: HierarchySpec) -> HierarchyMaterial:
        """Make keys and certificates of a private CA; raise InvalidHierarchy."""
        return await make_hierarchy(spec, kek=self._kek, status_url=self._public_url, at=self.db.clock())

    async def store_hierarchy(self, uow: UnitOfWork, made: HierarchyMaterial, *, principal: Principal) -> int:
        """Store a private CA with its first CRLs; return the backend's id. Raises BackendNameTaken."""
        settings = PrivateCaBackend.settings_model().model_dump()
        backend_id = await self.create_backend(
            uow,
            name=made.spec.name.strip(),
            kind=PrivateCaBackend.kind,
            settings=settings,
            principal=principal,
        )
        root_id = await store_authority(uow, made.root, backend_id=backend_id, parent_id=None)
        await store_authority(uow, made.issuing, backend_id=backend_id, parent_id=root_id)
        for slug in (made.root.slug, made.issuing.slug):
            authority = await self._authorities.open(uow.session, slug)
            await self._crls.publish(uow, authority)
            ca = await hierarchy_store.one_ca(uow.session, authority.id)
            await ceremonies.note(uow, "PrivateCaCreated", ca, principal=principal)
        return backend_id

    async def create_backend(
        self, uow: UnitOfWork, *, name: str, kind: str, settings: dict[str, Any], principal: Principal
    ) -> int:
        """Configure a backend of an installed kind; return its id.

        Raises:
            UnknownBackendKind, InvalidBackendSettings, BackendNameTaken: see there.
        """
        valid = backend_settings.validate(kind_named(self._kinds, kind).settings_model, settings)
        uid = secrets.token_hex(16)
        shown, hidden = backend_settings.store(valid, key=self._kek, uid=uid)
        values = {"uid": uid, "name": name, "kind": kind, "settings": shown, "secrets": hidden}
        try:
            async with uow.savepoint():
                statement = (
                    insert(CaBackendRow)
                    .values(**values, status="active", created_at=uow.now)
                    .returning(CaBackendRow.id)
                )
                backend_id = (await uow.session.execute(statement)).scalar_one()
        except IntegrityError as fault:
            raise BackendNameTaken(f"there is a CA backend named {name!r} already", field="name") from fault
        uow.emit(Event(kind="CaBackendCreated", object_type="ca_backend", object_id=str(backend_id)))
        await audit.record(
            uow,
            principal=principal,
            action="CaBackendCreated",
            object_type="ca_backend",
            object_id=str(backend_id),
            organization_id=None,
            details={"name": name, "kind": kind, "settings": shown},
        )
        return backend_id

    async def check_name(self, session: AsyncSession, name: str) -> None:
        """Raise BackendNameTaken if a backend has this name."""
        if await session.scalar(select(CaBackendRow.id).where(CaBackendRow.name == name)) is not None:
            raise BackendNameTaken(f"there is a CA backend named {name!r} already", field="name")

    async def change_backend(
        self, uow: UnitOfWork, backend_id: int, changes: BackendChanges, *, principal: Principal
    ) -> None:
        """Change a backend's name, settings or status; a secret that is not given stays.

        Raises:
            BackendNotFound, BackendNameTaken, UnknownBackendKind, InvalidBackendSettings: see there.
        """
        await configuration.change(
            uow, backend_id, changes, principal=principal, kinds=self._kinds, kek=self._kek
        )
        uow.after_commit(partial(self._forget, backend_id))

    async def record_intent(self, uow: UnitOfWork, intent: Intent) -> None:
        """Record an intent's serial number in the transaction that commits the intent.

        Only private CAs keep such a ledger; for others nothing happens. Repeating changes nothing.
        """
        await self.record_intents(uow, [intent])

    async def record_intents(self, uow: UnitOfWork, intents: Iterable[Intent]) -> None:
        """Record many intents at once: one statement, which costs little more than that of one."""
        serials = []
        for intent in intents:
            slug = intent.document.get("authority")
            if intent.serial_hex is None or slug is None:
                continue
            authority = await self._authorities.open(uow.session, slug)
            not_after = datetime.fromisoformat(intent.document["not_after"])
            serials.append(
                ledger.SerialRecord(
                    authority_id=authority.id, serial_hex=intent.serial_hex, not_after=not_after
                )
            )
        await ledger.record(uow, serials)

    async def certificate_revoked(
        self, uow: UnitOfWork, *, backend_id: int, serial_hex: str, reason: str, at: datetime
    ) -> None:
        """Publish a revocation in the caller's transaction, if the hub itself publishes for the backend.

        Other CAs have been told through ``CanRevoke`` before. Repeating keeps the first revocation.

        Raises:
            InvalidRevocation: not a serial number, or not a reason of RFC 5280.
        """
        record = await self.get(uow.session, backend_id)
        if record.kind != PrivateCaBackend.kind:
            return
        authority_id = await self._crls.revoke(
            uow,
            backend_id=backend_id,
            serial_hex=serial_hex,
            reason=reason,
            at=at,
            opener=self._authorities.open,
        )
        if authority_id is not None:
            uow.after_commit(partial(self.ocsp.revoked, authority_id, int(serial_hex, 16)))

    async def publish_crls(self, uow: UnitOfWork, backend_id: int, *, principal: Principal) -> None:
        """Make all CRLs of a backend's authorities now.

        Raises:
            BackendNotFound, AuthorityNotFound: there is no such backend, or its CA is elsewhere.
            AuthorityKeyUnavailable: a CA's key can't be opened.
        """
        record = await self.get(uow.session, backend_id)
        authorities = await self.authorities(uow.session, backend_id)
        if not authorities:
            raise AuthorityNotFound("this CA backend has no authority of its own")
        for item in authorities:
            if item.key_store != "offline":
                await self._crls.publish(uow, await self._authorities.open(uow.session, item.slug))
        await audit.record(
            uow,
            principal=principal,
            action="CrlsPublished",
            object_type="ca_backend",
            object_id=str(backend_id),
            organization_id=None,
            details={"name": record.name},
        )

    async def refresh_crls(self) -> int:
        """Make the CRLs that are due. Returns how many were made."""
        return await self._crls.refresh_due(self.db, self._authorities.open)

    async def keep_crls(self) -> None:
        """Make CRLs as they become due, for ever; a long list follows its revocations within seconds."""
        async with self.db.notifier.subscribe(CRLS_DUE) as notices:
            while True:
                await self.refresh_crls()
                await notices.get(timeout_s=_CRL_CHECK_S)
                notices.drain()

    async def roll_over_responders(self) -> int:
        """Give every authority whose OCSP responder ends soon a new one; return how many were made."""
        return await self._responders.roll_over()

    async def export_status(self, folder: Path, *, hash_names: Sequence[str]) -> ExportReport:
        """Write CRLs, CA certificates and OCSP answers as files for a web server; CRLs that are due first.

        Raises:
            AuthorityKeyUnavailable: a CA's key can't be opened.
            OSError: the folder can't be written to.
        """
        await self.refresh_crls()
        await self.roll_over_responders()
        return await StatusExport(self.db, self.ocsp, folder, hash_names=hash_names).run()

    async def crl(self, session: AsyncSession, name: str) -> PublishedCrl:
        """Return the CRL that is out under a name, an authority's slug or ``SLUG.NUMBER``.

        Raises:
            AuthorityNotFound: there is none.
        """
        return await self._crls.published(session, name)

    async def authority_certificate(self, session: AsyncSession, slug: str) -> bytes:
        """Return an authority's certificate as DER; raise AuthorityNotFound."""
        rows = await session.execute(select(CaAuthority.certificate).where(CaAuthority.slug == slug))
        certificate = rows.scalar_one_or_none()
        if certificate is None:
            raise AuthorityNotFound(f"there is no certification authority {slug!r}")
        return certificate

    def _forget(self, backend_id: int) -> None:
        self._open.pop(backend_id, None)

    async def _opened(self, session: AsyncSession, backend_id: int) -> CaBackend:
        rows = await session.execute(
            select(*_BACKEND_COLUMNS, CaBackendRow.uid, CaBackendRow.secrets).where(
                CaBackendRow.id == backend_id
            )
        )
        row = rows.one_or_none()
        if row is None:
            raise BackendNotFound(f"there is no CA backend {backend_id}", field="backend_id")
        if row.status != "active":
            raise BackendDisabled(f"the CA backend {row.name} is disabled")
        self._authorities.forget(backend_id)
        kind = kind_named(self._kinds, row.kind)
        settings = backend_settings.restore(
            kind.settings_model, row.settings, row.secrets, key=self._kek, uid=row.uid
        )
        context = BackendContext(
            backend_id=backend_id,
            name=row.name,
            clock=self.db.clock,
            authorities=self._authorities,
            keepsakes=KeepsakeStore(self.db, self._kek, backend_id=backend_id),
            dns=self._dns,
            agents=self._agents,
            programs=self._programs,
        )
        return kind.open(settings, context)
