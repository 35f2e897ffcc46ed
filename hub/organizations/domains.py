"""Delegating domains to organizations and departments, and asking who may certify a name.

Kept apart from :mod:`hub.organizations.service`, which offers it to other rooms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit, policy
from hub.access.policy import Target
from hub.db.errors import Conflict
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.organizations.domain_patterns import CATCH_ALL, covering_patterns, normalize_domain, parent_of
from hub.organizations.errors import (
    DomainAlreadyDelegated,
    DomainNeedsWholeSystem,
    DomainNotFound,
    InvalidDomain,
)
from hub.organizations.models import Domain, Organization
from hub.organizations.overlaps import Overlap, find_overlaps
from hub.organizations.policy import Findings, Holder, Holders, check_name, normalize_name
from hub.organizations.records import CERTIFICATE_TYPES, DomainRecord
from hub.organizations.states import DOMAIN, DomainEvent, DomainState, next_state
from pki.errors import InvalidName
from pki.findings import Finding

DOMAIN_COLUMNS = (
    Domain.id,
    Domain.organization_id,
    Domain.department_id,
    Domain.name,
    Domain.certificate_types,
    Domain.state,
    Domain.active,
    Domain.requested_by,
    Domain.decided_by,
    Domain.decided_at,
    Domain.decision_message,
    Domain.created_at,
)
# Bounds the statement: databases allow some 32,000 bound values. No CA certifies as many names at once.
MAX_NAMES = 1000
_COUNTS = and_(Domain.state == DomainState.APPROVED, Domain.active.is_(True))


class DomainDelegations:
    """Reads and changes the domains of organizations."""

    async def list(
        self, session: AsyncSession, *, organization_ids: frozenset[int] | None = None
    ) -> Sequence[DomainRecord]:
        """Return delegations by name, all or those of a scope."""
        statement = select(*DOMAIN_COLUMNS).order_by(Domain.name, Domain.id)
        if organization_ids is not None:
            statement = statement.where(Domain.organization_id.in_(organization_ids))
        return await _records(session, statement)

    async def get(self, session: AsyncSession, domain_id: int) -> DomainRecord:
        """Return one delegation; raise DomainNotFound."""
        row = (await session.execute(select(*DOMAIN_COLUMNS).where(Domain.id == domain_id))).one_or_none()
        if row is None:
            raise DomainNotFound
        return _record(row)

    async def delegate(
        self,
        uow: UnitOfWork,
        *,
        organization_id: int,
        name: str,
        principal: Principal,
        department_id: int | None = None,
        certificate_types: Sequence[str] = CERTIFICATE_TYPES,
    ) -> DomainRecord:
        """Delegate a domain; it is approved at once when the principal could approve it.

        Others request: the domain counts once it is approved. The caller has made sure that organization and
        department exist and belong together.

        Raises:
            InvalidDomain, DomainIsPublicSuffix: see :func:`normalize_domain`.
            DomainNeedsWholeSystem: ``*`` is not for everybody.
            DomainAlreadyDelegated: the organization, or the department, holds it.
        """
        pattern = normalize_domain(name)
        if pattern == CATCH_ALL and not principal.sees_everything:
            raise DomainNeedsWholeSystem(
                "only an administrator of the whole system may delegate every name", field="name"
            )
        values = {
            "organization_id": organization_id,
            "department_id": department_id,
            "name": pattern,
            "parent": parent_of(pattern),
            "certificate_types": _types(certificate_types),
            "state": DomainState.REQUESTED.value,
            "active": True,
            "requested_by": principal.name,
            "created_at": uow.now,
        }
        try:
            async with uow.savepoint():
                statement = insert(Domain).values(**values).returning(Domain.id)
                domain_id = (await uow.session.execute(statement)).scalar_one()
        except IntegrityError as fault:
            raise DomainAlreadyDelegated(
                f"{pattern} is delegated to this {'department' if department_id else 'organization'} already",
                field="name",
            ) from fault
        record = await self.get(uow.session, domain_id)
        if await self._refusal(uow.session, record, principal) is None:
            return await self.decide(uow, record, DomainEvent.APPROVE, principal=principal)
        await _note(uow, "DomainRequested", record, principal)
        return record

    async def approve(
        self, uow: UnitOfWork, domain_id: int, *, principal: Principal, message: str = ""
    ) -> DomainRecord:
        """Approve a requested domain.

        Who may approve for one organization may not give it names that others hold.

        Raises:
            DomainNotFound: there is no such domain.
            DomainNeedsWholeSystem: the principal may not approve this one.
            StateNotAllowed: it is approved already.
        """
        record = await self.get(uow.session, domain_id)
        refusal = await self._refusal(uow.session, record, principal)
        if refusal is not None:
            raise DomainNeedsWholeSystem(refusal)
        return await self.decide(uow, record, DomainEvent.APPROVE, principal=principal, message=message)

    async def decide(
        self,
        uow: UnitOfWork,
        record: DomainRecord,
        event: DomainEvent,
        *,
        principal: Principal,
        message: str = "",
    ) -> DomainRecord:
        """Apply ``event`` to a domain's request, whoever may; raise StateNotAllowed or Conflict."""
        what = f"the domain {record.name}"
        state, effect = next_state(DOMAIN, DomainState(record.state), event, what=what)
        decided = event is not DomainEvent.REQUEST
        changed = await uow.session.execute(
            update(Domain)
            .where(Domain.id == record.id, Domain.state == record.state)
            .values(
                state=state.value,
                decided_by=principal.name if decided else "",
                decided_at=uow.now if decided else None,
                decision_message=message,
            )
            .returning(Domain.id)
        )
        if changed.one_or_none() is None:
            raise Conflict("somebody else decided about the domain first; look again")
        after = await self.get(uow.session, record.id)
        await _note(uow, effect, after, principal, message=message)
        return after

    async def _refusal(self, session: AsyncSession, record: DomainRecord, principal: Principal) -> str | None:
        for certificate_type in record.certificate_types:
            target = Target(
                organization_id=record.organization_id,
                department_id=record.department_id,
                certificate_type=certificate_type,
            )
            decision = policy.authorize(principal, "domains.approve", target)
            if not decision.allowed:
                return decision.message
        if principal.sees_everything:
            return None
        if record.name == CATCH_ALL:
            return "only an administrator of the whole system may delegate every name"
        for overlap in await self.overlaps_of(session, record):
            if overlap.other(record.id).organization_id != record.organization_id:
                return (
                    f"{record.name} shares names with a domain of another organization:"
                    " an administrator of the whole system has to decide"
                )
        return None

    async def change(
        self,
        uow: UnitOfWork,
        domain_id: int,
        *,
        principal: Principal,
        active: bool | None = None,
        certificate_types: Sequence[str] | None = None,
    ) -> DomainRecord:
        """Switch a delegation on or off, or change its types; new types are for those who may approve.

        Raises:
            DomainNotFound: there is no such domain.
            DomainNeedsWholeSystem: the change widens what was approved.
        """
        before = await self.get(uow.session, domain_id)
        values: dict[str, Any] = {}
        if active is not None and active != before.active:
            values["active"] = active
        if certificate_types is not None and set(certificate_types) != set(before.certificate_types):
            values["certificate_types"] = _types(certificate_types)
            added = set(certificate_types) - set(before.certificate_types)
            widened = replace(before, certificate_types=tuple(values["certificate_types"]))
            refusal = await self._refusal(uow.session, widened, principal) if added else None
            if refusal is not None:
                raise DomainNeedsWholeSystem(refusal, field="certificate_types")
        if not values:
            return before
        await uow.session.execute(update(Domain).where(Domain.id == domain_id).values(**values))
        after = await self.get(uow.session, domain_id)
        changes = {name: {"before": getattr(before, name), "after": getattr(after, name)} for name in values}
        await _note(uow, "DomainChanged", after, principal, **changes)
        return after

    async def remove(self, uow: UnitOfWork, domain_id: int, *, principal: Principal) -> None:
        """End a delegation; certificates that were issued under it stay. Raises DomainNotFound."""
        record = await self.get(uow.session, domain_id)
        await uow.session.execute(delete(Domain).where(Domain.id == domain_id))
        await _note(uow, "DomainRemoved", record, principal)

    async def overlaps_of(self, session: AsyncSession, record: DomainRecord) -> Sequence[Overlap]:
        """Return the counting delegations of others that share names with this one."""
        wider = [item for item in covering_patterns(record.name) if item != CATCH_ALL]
        shared: ColumnElement[bool] = Domain.name.in_(wider)
        if record.name.startswith("*."):
            shared = or_(shared, Domain.name.endswith(record.name[1:], autoescape=True))
        statement = select(*DOMAIN_COLUMNS).where(Domain.id != record.id, _COUNTS, shared)
        others = await _records(session, statement)
        return [
            item
            for item in find_overlaps([record, *others])
            if record.id in {item.narrower.id, item.wider.id}
        ]

    async def overlaps(self, session: AsyncSession) -> Sequence[Overlap]:
        """Return every two counting delegations that share names, by the narrower one's name."""
        return list(find_overlaps(await _records(session, select(*DOMAIN_COLUMNS).where(_COUNTS))))

    async def check_names(
        self,
        session: AsyncSession,
        asker: Holder,
        names: Sequence[str],
        *,
        certificate_type: str = "ssl",
    ) -> Findings:
        """Return why names may not be certified; see :mod:`hub.organizations.policy`."""
        if len(names) > MAX_NAMES:
            return [Finding("TooManyNames", f"at most {MAX_NAMES} names can be certified at once")]
        active, holders = await self._holders(session, asker.organization_id, names, certificate_type)
        if not active:
            return [Finding("OrganizationInactive", "the organization does not exist or is inactive")]
        findings = (
            check_name(name, asker=asker, holders=holders, certificate_type=certificate_type)
            for name in dict.fromkeys(names)
        )
        return [finding for finding in findings if finding is not None]

    async def _holders(
        self, session: AsyncSession, organization_id: int, names: Sequence[str], certificate_type: str
    ) -> tuple[bool, Holders]:
        # One statement for the organization's state and all delegations: this runs for every certificate.
        patterns, bases = _looked_for(names)
        concerned: ColumnElement[bool] = Domain.name.in_(sorted(patterns))
        if bases:
            concerned = or_(concerned, Domain.parent.in_(sorted(bases)))
        rows = await session.execute(
            select(
                Organization.status,
                Domain.name,
                Domain.organization_id,
                Domain.department_id,
                Domain.certificate_types,
            )
            .outerjoin(Domain, and_(concerned, _COUNTS))
            .where(Organization.id == organization_id)
        )
        active = False
        holders: dict[str, set[Holder]] = defaultdict(set)
        for row in rows:
            active = row.status == "active"
            # Nothing from the outer join: no delegation has a say.
            if row.name and certificate_type in row.certificate_types:
                holders[row.name].add(Holder(row.organization_id, row.department_id))
        return active, {pattern: frozenset(found) for pattern, found in holders.items()}


def _looked_for(names: Sequence[str]) -> tuple[set[str], set[str]]:
    patterns: set[str] = set()
    bases: set[str] = set()
    for name in names:
        try:
            normalized = normalize_name(name)
        except InvalidName:
            continue
        patterns.update(covering_patterns(normalized))
        if normalized.startswith("*."):
            bases.add(normalized[2:])
    return patterns, bases


async def _records(session: AsyncSession, statement: Select[*tuple[Any, ...]]) -> list[DomainRecord]:
    return [_record(row) for row in await session.execute(statement)]


def _record(row: Row[*tuple[Any, ...]]) -> DomainRecord:
    values = row._asdict()
    values["certificate_types"] = tuple(values["certificate_types"])
    return DomainRecord(**values)


def _types(wanted: Sequence[str]) -> list[str]:
    unknown = set(wanted) - set(CERTIFICATE_TYPES)
    if unknown or not wanted:
        raise InvalidDomain(
            f"certificate_types are some of {', '.join(CERTIFICATE_TYPES)}", field="certificate_types"
        )
    return [item for item in CERTIFICATE_TYPES if item in wanted]


async def _note(
    uow: UnitOfWork, kind: str, domain: DomainRecord, principal: Principal, **details: Any
) -> None:
    uow.emit(
        Event(
            kind=kind,
            object_type="domain",
            object_id=str(domain.id),
            organization_id=domain.organization_id,
            department_id=domain.department_id,
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
        details={
            "name": domain.name,
            "department_id": domain.department_id,
            "certificate_types": list(domain.certificate_types),
            **details,
        },
    )
