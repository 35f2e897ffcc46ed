"""Admin REST of domains: who holds which, requests for them, and where they overlap."""

from __future__ import annotations

from typing import Any

from hub.access.policy import Target, require
from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.principal import Principal
from hub.http.routing import RouteSet, StreamedResponse, delete, get, patch, post
from hub.organizations.errors import DomainNotFound, OrganizationNotFound
from hub.organizations.models import Department, Domain, Organization
from hub.organizations.overlaps import Overlap
from hub.organizations.records import DomainRecord
from hub.organizations.schemas import (
    DomainAnswer,
    DomainChange,
    DomainCreate,
    DomainDecision,
    DomainRow,
    DomainWarning,
    OverlapList,
    OverlapQuery,
    OverlapSide,
    OverlapView,
)
from hub.organizations.service import OrganizationService
from hub.organizations.states import DomainEvent, DomainState
from hub.organizations.visibility import require_department, require_types, scope_with_whole

_STATES = tuple(item.value for item in DomainState)


def _plain(name: str, expression: Any, header: str, **options: Any) -> Column:
    return Column(name, expression, header, sortable=False, **options)


DOMAINS = Listing(
    DomainRow,
    (
        Column("id", Domain.id, "ID", kind="int", nullable=False),
        Column("name", Domain.name, "Domain", nullable=False, searchable=True),
        Column("organization_id", Domain.organization_id, "Organization ID", kind="int", nullable=False),
        Column("organization_name", Organization.name, "Organization", nullable=False, searchable=True),
        _plain("department_id", Domain.department_id, "Department ID", kind="int"),
        _plain("department_name", Department.name, "Department"),
        _plain("certificate_types", Domain.certificate_types, "Certificate types", filterable=False),
        _plain("state", Domain.state, "State", kind="enum", nullable=False, choices=_STATES),
        _plain("approved", Domain.state == DomainState.APPROVED, "Approved", kind="bool", nullable=False),
        _plain("active", Domain.active, "Active", kind="bool", nullable=False),
        _plain("requested_by", Domain.requested_by, "Requested by", nullable=False),
        _plain("decided_by", Domain.decided_by, "Decided by", nullable=False),
        _plain("decided_at", Domain.decided_at, "Decided", kind="time"),
        _plain("decision_message", Domain.decision_message, "Message", nullable=False),
        Column("created_at", Domain.created_at, "Created", kind="time", nullable=False),
    ),
    select_from=Domain.__table__.join(Organization.__table__).outerjoin(
        Department.__table__, Department.id == Domain.department_id
    ),
    id_column=Domain.id,
    default_sort="name",
    search_min_length=1,
)


class DomainRoutes(RouteSet):
    """``/domains``: delegations of all organizations and departments that the caller reaches."""

    prefix, tag = "/domains", "domains"

    def __init__(self, db: Database, organizations: OrganizationService) -> None:
        self._db = db
        self._organizations = organizations
        self._domains = organizations.domains
        self._listing = ListEndpoint(
            db,
            DOMAINS,
            scope=lambda who: scope_with_whole(
                who, Domain.organization_id, Domain.department_id, action="domains.view"
            ),
            filename="domains.csv",
        )

    @get(
        "",
        action="domains.view",
        summary="List domains",
        query=ListQuery,
        returns=Page[DomainRow],
        listing=DOMAINS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[DomainRow] | StreamedResponse:
        """Return a page of domains."""
        return await self._listing(call)

    @get(
        "/overlaps",
        action="domains.view",
        summary="List domains that share names",
        query=OverlapQuery,
        returns=OverlapList,
    )
    async def overlaps(self, call: Call[None, OverlapQuery]) -> OverlapList:
        """Return pairs of delegations of which the caller sees at least one."""
        wanted = call.query.organization_id
        async with self._db.read() as session:
            found = [
                overlap
                for overlap in await self._domains.overlaps(session)
                if _concerns(call.principal, overlap)
                and wanted in {None, overlap.narrower.organization_id, overlap.wider.organization_id}
            ]
        shown = found[: call.query.limit]
        return OverlapList(items=[_overlap(call.principal, item) for item in shown], total=len(found))

    @post(
        "",
        action="domains.request",
        summary="Delegate a domain, or ask for it",
        body=DomainCreate,
        returns=DomainAnswer,
        status=201,
    )
    async def create(self, call: Call[DomainCreate, None]) -> DomainAnswer:
        """Delegate a domain; without the right to approve, it waits for approval."""
        body = call.body
        place = body.organization_id, body.department_id
        require_department(call.principal, "domains.request", place, absent=OrganizationNotFound)
        require_types(call.principal, "domains.request", place, body.certificate_types)
        async with self._db.write() as uow:
            record = await self._organizations.delegate_domain(
                uow,
                organization_id=body.organization_id,
                department_id=body.department_id,
                name=body.name,
                certificate_types=body.certificate_types,
                principal=call.principal,
            )
            overlaps = await self._domains.overlaps_of(uow.session, record)
        return _answer(call.principal, record, overlaps)

    @get("/{id:int}", action="domains.view", summary="Read a domain", returns=DomainAnswer)
    async def read(self, call: Call[None, None]) -> DomainAnswer:
        """Return one delegation, with what shares names with it."""
        async with self._db.read() as session:
            record = await self._domains.get(session, call.int_path("id"))
            if not _sees(call.principal, record):
                raise DomainNotFound
            overlaps = await self._domains.overlaps_of(session, record)
        return _answer(call.principal, record, overlaps)

    @patch(
        "/{id:int}",
        action="domains.edit",
        summary="Switch a domain on or off, or change its types",
        body=DomainChange,
        returns=DomainAnswer,
    )
    async def update(self, call: Call[DomainChange, None]) -> DomainAnswer:
        """Change a delegation."""
        async with self._db.write() as uow:
            before = await self._reached(uow.session, call, "domains.edit")
            types = call.body.certificate_types
            require_types(call.principal, "domains.edit", _place(before), types or ())
            record = await self._domains.change(
                uow, before.id, active=call.body.active, certificate_types=types, principal=call.principal
            )
            overlaps = await self._domains.overlaps_of(uow.session, record)
        return _answer(call.principal, record, overlaps)

    @post(
        "/{id:int}/approve",
        action="domains.approve",
        summary="Approve a domain",
        body=DomainDecision,
        returns=DomainAnswer,
    )
    async def approve(self, call: Call[DomainDecision, None]) -> DomainAnswer:
        """Approve a requested or rejected domain."""
        async with self._db.write() as uow:
            before = await self._reached(uow.session, call, "domains.approve")
            record = await self._domains.approve(
                uow, before.id, principal=call.principal, message=call.body.message
            )
            overlaps = await self._domains.overlaps_of(uow.session, record)
        return _answer(call.principal, record, overlaps)

    @post(
        "/{id:int}/reject",
        action="domains.approve",
        summary="Reject a domain",
        body=DomainDecision,
        returns=DomainAnswer,
    )
    async def reject(self, call: Call[DomainDecision, None]) -> DomainAnswer:
        """Reject a requested domain; it can be asked for again."""
        return await self._decide(call, "domains.approve", DomainEvent.REJECT, call.body.message)

    @post(
        "/{id:int}/request", action="domains.request", summary="Ask for a domain again", returns=DomainAnswer
    )
    async def request(self, call: Call[None, None]) -> DomainAnswer:
        """Ask again for a domain that was rejected."""
        return await self._decide(call, "domains.request", DomainEvent.REQUEST, "")

    @delete("/{id:int}", action="domains.edit", summary="End a delegation")
    async def remove(self, call: Call[None, None]) -> None:
        """End a delegation."""
        async with self._db.write() as uow:
            record = await self._reached(uow.session, call, "domains.edit")
            await self._domains.remove(uow, record.id, principal=call.principal)

    async def _decide(
        self, call: Call[Any, None], action: str, event: DomainEvent, message: str
    ) -> DomainAnswer:
        async with self._db.write() as uow:
            before = await self._reached(uow.session, call, action)
            require_types(call.principal, action, _place(before), before.certificate_types)
            record = await self._domains.decide(uow, before, event, principal=call.principal, message=message)
        return _answer(call.principal, record, ())

    async def _reached(self, session: Any, call: Call[Any, None], action: str) -> DomainRecord:
        record = await self._domains.get(session, call.int_path("id"))
        if not _sees(call.principal, record):
            raise DomainNotFound
        # What is the whole organization's a department sees, and can't change.
        target = Target(organization_id=record.organization_id, department_id=record.department_id)
        require(call.principal, action, target)
        return record


def _place(record: DomainRecord) -> tuple[int, int | None]:
    return record.organization_id, record.department_id


def _sees(principal: Principal, record: DomainRecord) -> bool:
    # As the list's scope: an organization's domains serve its departments, who see them.
    if principal.sees_everything:
        return True
    return any(
        grant.organization_id == record.organization_id
        and (
            None in {grant.department_id, record.department_id} or grant.department_id == record.department_id
        )
        for grant in principal.grants
    )


def _concerns(principal: Principal, overlap: Overlap) -> bool:
    return _sees(principal, overlap.narrower) or _sees(principal, overlap.wider)


def _overlap(principal: Principal, overlap: Overlap) -> OverlapView:
    return OverlapView(
        kind="shared" if overlap.is_shared else "within",
        narrower=_side(principal, overlap.narrower),
        wider=_side(principal, overlap.wider),
        certificate_types=list(overlap.certificate_types),
    )


def _side(principal: Principal, record: DomainRecord) -> OverlapSide:
    # The name must be told, or nobody could understand the answer; whose it is need not.
    if not _sees(principal, record):
        return OverlapSide(id=None, name=record.name, organization_id=None, department_id=None)
    return OverlapSide(
        id=record.id,
        name=record.name,
        organization_id=record.organization_id,
        department_id=record.department_id,
    )


def _answer(principal: Principal, record: DomainRecord, overlaps: Any) -> DomainAnswer:
    answer = DomainAnswer.model_validate(record)
    answer.warnings = [_warning(principal, record, overlap) for overlap in overlaps]
    return answer


def _warning(principal: Principal, record: DomainRecord, overlap: Overlap) -> DomainWarning:
    other = overlap.other(record.id)
    owner = _owner(principal, record, other)
    if overlap.is_shared:
        return DomainWarning(
            reason="DomainShared", message=f"{record.name} is also delegated to {owner}: both may use it"
        )
    if overlap.narrower.id == record.id:
        message = f"the names of {record.name} are taken from {other.name}, which is delegated to {owner}"
        return DomainWarning(reason="DomainTakesNames", message=message)
    message = f"the names of {other.name} stay with {owner}"
    return DomainWarning(reason="DomainLacksNames", message=message)


def _owner(principal: Principal, record: DomainRecord, other: DomainRecord) -> str:
    if other.organization_id == record.organization_id:
        return "another department" if other.department_id else "the organization as a whole"
    if _sees(principal, other):
        return f"organization {other.organization_id}"
    return "another organization"
