"""Delegating domains to organizations, and asking who may certify a name.

Kept apart from :mod:`hub.organizations.service`, which offers it to other rooms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.organizations.domain_patterns import CATCH_ALL, covering_patterns, normalize_domain
from hub.organizations.errors import DomainAlreadyDelegated, DomainNeedsWholeSystem, DomainNotFound
from hub.organizations.models import Domain, Organization
from hub.organizations.policy import Findings, check_name, normalize_name
from hub.organizations.records import DomainRecord
from pki.errors import InvalidName
from pki.findings import Finding

DOMAIN_COLUMNS = (
    Domain.id,
    Domain.organization_id,
    Domain.department_id,
    Domain.name,
    Domain.approved,
    Domain.active,
    Domain.requested_by,
    Domain.created_at,
)
# Bounds the statement: databases allow some 32,000 bound values. No CA certifies as many names at once.
MAX_NAMES = 1000


class DomainDelegations:
    """Reads and changes the domains of organizations."""

    async def list(
        self, session: AsyncSession, *, organization_ids: frozenset[int] | None = None
    ) -> Sequence[DomainRecord]:
        """Return delegations by name, all or those of a scope."""
        statement = select(*DOMAIN_COLUMNS).order_by(Domain.name, Domain.id)
        if organization_ids is not None:
            statement = statement.where(Domain.organization_id.in_(organization_ids))
        return [DomainRecord(**row._asdict()) for row in await session.execute(statement)]

    async def get(self, session: AsyncSession, domain_id: int) -> DomainRecord:
        """Return one delegation; raise DomainNotFound."""
        row = (await session.execute(select(*DOMAIN_COLUMNS).where(Domain.id == domain_id))).one_or_none()
        if row is None:
            raise DomainNotFound(f"there is no domain {domain_id}")
        return DomainRecord(**row._asdict())

    async def delegate(
        self,
        uow: UnitOfWork,
        *,
        organization_id: int,
        name: str,
        principal: Principal,
        department_id: int | None = None,
    ) -> DomainRecord:
        """Delegate a domain; it is approved at once when an administrator of the whole system does it.

        Others request: the domain counts once it is approved. The caller has made sure that organization and
        department exist and belong together.

        Raises:
            InvalidDomain, DomainIsPublicSuffix: see :func:`normalize_domain`.
            DomainNeedsWholeSystem: ``*`` is not for everybody.
            DomainAlreadyDelegated: the organization holds it.
        """
        pattern = normalize_domain(name)
        if pattern == CATCH_ALL and not principal.sees_everything:
            raise DomainNeedsWholeSystem(
                "only an administrator of the whole system may delegate every name", field="name"
            )
        try:
            async with uow.savepoint():
                domain_id = (
                    await uow.session.execute(
                        insert(Domain)
                        .values(
                            organization_id=organization_id,
                            department_id=department_id,
                            name=pattern,
                            approved=principal.sees_everything,
                            active=True,
                            requested_by=principal.name,
                            created_at=uow.now,
                        )
                        .returning(Domain.id)
                    )
                ).scalar_one()
        except IntegrityError as fault:
            raise DomainAlreadyDelegated(
                f"{pattern} is delegated to this organization already", field="name"
            ) from fault
        record = await self.get(uow.session, domain_id)
        await _note(uow, "DomainDelegated" if record.approved else "DomainRequested", record, principal)
        return record

    async def approve(self, uow: UnitOfWork, domain_id: int, *, principal: Principal) -> DomainRecord:
        """Approve a requested domain; approving twice changes nothing.

        Raises:
            DomainNeedsWholeSystem: the principal is not one of the whole system.
            DomainNotFound: there is no such domain.
        """
        if not principal.sees_everything:
            raise DomainNeedsWholeSystem
        changed = await uow.session.execute(
            update(Domain)
            .where(Domain.id == domain_id, Domain.approved.is_(False))
            .values(approved=True)
            .returning(Domain.id)
        )
        record = await self.get(uow.session, domain_id)
        if changed.one_or_none() is not None:
            await _note(uow, "DomainDelegated", record, principal)
        return record

    async def remove(self, uow: UnitOfWork, domain_id: int, *, principal: Principal) -> None:
        """End a delegation; certificates that were issued under it stay. Raises DomainNotFound."""
        record = await self.get(uow.session, domain_id)
        await uow.session.execute(delete(Domain).where(Domain.id == domain_id))
        await _note(uow, "DomainRemoved", record, principal)

    async def check_names(
        self, session: AsyncSession, organization_id: int, names: Sequence[str]
    ) -> Findings:
        """Return why an organization may not certify names; see :mod:`hub.organizations.policy`."""
        if len(names) > MAX_NAMES:
            return [Finding("TooManyNames", f"at most {MAX_NAMES} names can be certified at once")]
        active, holders = await self._holders(session, organization_id, names)
        if not active:
            return [Finding("OrganizationInactive", "the organization does not exist or is inactive")]
        findings = (
            check_name(name, organization_id=organization_id, holders=holders)
            for name in dict.fromkeys(names)
        )
        return [finding for finding in findings if finding is not None]

    async def _holders(
        self, session: AsyncSession, organization_id: int, names: Sequence[str]
    ) -> tuple[bool, dict[str, frozenset[int]]]:
        # One statement for the organization's state and all delegations: this runs for every certificate.
        patterns: set[str] = set()
        for name in names:
            try:
                patterns.update(covering_patterns(normalize_name(name)))
            except InvalidName:
                continue
        rows = await session.execute(
            select(Organization.status, Domain.name, Domain.organization_id)
            .outerjoin(
                Domain,
                and_(
                    Domain.name.in_(sorted(patterns)),
                    Domain.approved.is_(True),
                    Domain.active.is_(True),
                ),
            )
            .where(Organization.id == organization_id)
        )
        active = False
        holders: dict[str, set[int]] = defaultdict(set)
        for status, pattern, holder in rows:
            active = status == "active"
            if pattern is not None:
                holders[pattern].add(holder)
        return active, {pattern: frozenset(ids) for pattern, ids in holders.items()}


async def _note(uow: UnitOfWork, kind: str, domain: DomainRecord, principal: Principal) -> None:
    details: dict[str, Any] = {"name": domain.name, "department_id": domain.department_id}
    uow.emit(
        Event(
            kind=kind,
            object_type="domain",
            object_id=str(domain.id),
            organization_id=domain.organization_id,
            data={"name": domain.name},
        )
    )
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type="domain",
        object_id=str(domain.id),
        organization_id=domain.organization_id,
        details=details,
    )
