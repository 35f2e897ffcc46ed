"""Admin REST of organizations with their departments, and of domains."""

from __future__ import annotations

from hub.access.policy import scope
from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.routing import RouteSet, StreamedResponse, delete, get, patch, post
from hub.organizations.errors import DomainNotFound, OrganizationNotFound
from hub.organizations.models import Department, Domain, Organization
from hub.organizations.records import OrganizationFields
from hub.organizations.schemas import (
    DepartmentCreate,
    DepartmentRow,
    DomainCreate,
    DomainRow,
    OrganizationChange,
    OrganizationCreate,
    OrganizationRow,
)
from hub.organizations.service import STATUSES, OrganizationService
from hub.organizations.visibility import require_reach

ORGANIZATIONS = Listing(
    OrganizationRow,
    (
        Column("id", Organization.id, "ID", kind="int", nullable=False),
        Column("public_id", Organization.public_id, "Public ID", nullable=False),
        Column("name", Organization.name, "Name", nullable=False, searchable=True),
        Column("street", Organization.street, "Street", nullable=False, sortable=False),
        Column("locality", Organization.locality, "City", nullable=False, sortable=False),
        Column("state", Organization.state, "State or province", nullable=False, sortable=False),
        Column("postal_code", Organization.postal_code, "Postal code", nullable=False, sortable=False),
        Column("country", Organization.country, "Country", nullable=False, sortable=False),
        Column("status", Organization.status, "Status", kind="enum", nullable=False, choices=STATUSES),
        Column("created_at", Organization.created_at, "Created", kind="time", nullable=False),
    ),
    select_from=Organization,
    id_column=Organization.id,
    default_sort="name",
    search_min_length=1,
)
DEPARTMENTS = Listing(
    DepartmentRow,
    (
        Column("id", Department.id, "ID", kind="int", nullable=False),
        Column("organization_id", Department.organization_id, "Organization ID", kind="int", nullable=False),
        Column("name", Department.name, "Name", nullable=False, searchable=True),
        Column("created_at", Department.created_at, "Created", kind="time", nullable=False),
    ),
    select_from=Department,
    id_column=Department.id,
    default_sort="name",
    search_min_length=1,
)
DOMAINS = Listing(
    DomainRow,
    (
        Column("id", Domain.id, "ID", kind="int", nullable=False),
        Column("name", Domain.name, "Domain", nullable=False, searchable=True),
        Column("organization_id", Domain.organization_id, "Organization ID", kind="int", nullable=False),
        Column("organization_name", Organization.name, "Organization", nullable=False, searchable=True),
        Column("department_id", Domain.department_id, "Department ID", kind="int", sortable=False),
        Column("approved", Domain.approved, "Approved", kind="bool", nullable=False, sortable=False),
        Column("active", Domain.active, "Active", kind="bool", nullable=False, sortable=False),
        Column("requested_by", Domain.requested_by, "Requested by", nullable=False, sortable=False),
        Column("created_at", Domain.created_at, "Created", kind="time", nullable=False),
    ),
    select_from=Domain.__table__.join(Organization.__table__),
    id_column=Domain.id,
    default_sort="name",
    search_min_length=1,
)


class OrganizationRoutes(RouteSet):
    """``/organizations`` and the departments below each."""

    prefix, tag = "/organizations", "organizations"

    def __init__(self, db: Database, organizations: OrganizationService) -> None:
        self._db = db
        self._organizations = organizations
        self._listing = ListEndpoint(
            db,
            ORGANIZATIONS,
            scope=lambda who: scope(who, Organization.id),
            filename="organizations.csv",
        )
        self._departments = ListEndpoint(
            db,
            DEPARTMENTS,
            scope=lambda who: scope(who, Department.organization_id, Department.id),
            filename="departments.csv",
        )

    @get(
        "",
        action="organizations.view",
        summary="List organizations",
        query=ListQuery,
        returns=Page[OrganizationRow],
        listing=ORGANIZATIONS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[OrganizationRow] | StreamedResponse:
        """Return a page of organizations."""
        return await self._listing(call)

    @post(
        "",
        action="organizations.create",
        summary="Create an organization",
        body=OrganizationCreate,
        returns=OrganizationRow,
        status=201,
    )
    async def create(self, call: Call[OrganizationCreate, None]) -> OrganizationRow:
        """Create an organization."""
        fields = OrganizationFields(**call.body.model_dump())
        async with self._db.write() as uow:
            record = await self._organizations.create(uow, fields, principal=call.principal)
        return OrganizationRow.model_validate(record)

    @get("/{id:int}", action="organizations.view", summary="Read an organization", returns=OrganizationRow)
    async def read(self, call: Call[None, None]) -> OrganizationRow:
        """Return one organization."""
        require_reach(call.principal, "organizations.view", call.int_path("id"), absent=OrganizationNotFound)
        async with self._db.read() as session:
            return OrganizationRow.model_validate(await self._organizations.get(session, call.int_path("id")))

    @patch(
        "/{id:int}",
        action="organizations.edit",
        summary="Change an organization",
        body=OrganizationChange,
        returns=OrganizationRow,
    )
    async def update(self, call: Call[OrganizationChange, None]) -> OrganizationRow:
        """Change an organization."""
        require_reach(call.principal, "organizations.edit", call.int_path("id"), absent=OrganizationNotFound)
        changes = call.body.model_dump(exclude_none=True)
        async with self._db.write() as uow:
            record = await self._organizations.update(
                uow, call.int_path("id"), changes=changes, principal=call.principal
            )
        return OrganizationRow.model_validate(record)

    @get(
        "/{id:int}/departments",
        action="departments.view",
        summary="List an organization's departments",
        query=ListQuery,
        returns=Page[DepartmentRow],
        listing=DEPARTMENTS,
    )
    async def departments(self, call: Call[None, ListQuery]) -> Page[DepartmentRow] | StreamedResponse:
        """Return a page of departments."""
        require_reach(call.principal, "departments.view", call.int_path("id"), absent=OrganizationNotFound)
        return await self._departments(call, where=Department.organization_id == call.int_path("id"))

    @post(
        "/{id:int}/departments",
        action="departments.edit",
        summary="Create a department",
        body=DepartmentCreate,
        returns=DepartmentRow,
        status=201,
    )
    async def create_department(self, call: Call[DepartmentCreate, None]) -> DepartmentRow:
        """Create a department."""
        require_reach(call.principal, "departments.edit", call.int_path("id"), absent=OrganizationNotFound)
        async with self._db.write() as uow:
            record = await self._organizations.create_department(
                uow, call.int_path("id"), call.body.name, principal=call.principal
            )
        return DepartmentRow.model_validate(record)


class DomainRoutes(RouteSet):
    """``/domains``: delegations of all organizations that the caller reaches."""

    prefix, tag = "/domains", "domains"

    def __init__(self, db: Database, organizations: OrganizationService) -> None:
        self._db = db
        self._organizations = organizations
        self._listing = ListEndpoint(
            db,
            DOMAINS,
            scope=lambda who: scope(who, Domain.organization_id),
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

    @post(
        "",
        action="domains.edit",
        summary="Delegate a domain, or ask for it",
        body=DomainCreate,
        returns=DomainRow,
        status=201,
    )
    async def create(self, call: Call[DomainCreate, None]) -> DomainRow:
        """Delegate a domain; without power over the whole system it waits for approval."""
        body = call.body
        require_reach(call.principal, "domains.edit", body.organization_id, absent=OrganizationNotFound)
        async with self._db.write() as uow:
            record = await self._organizations.delegate_domain(
                uow,
                organization_id=body.organization_id,
                department_id=body.department_id,
                name=body.name,
                principal=call.principal,
            )
        return DomainRow.model_validate(record)

    @post("/{id:int}/approve", action="domains.approve", summary="Approve a domain", returns=DomainRow)
    async def approve(self, call: Call[None, None]) -> DomainRow:
        """Approve a requested domain."""
        async with self._db.write() as uow:
            domains = self._organizations.domains
            record = await domains.approve(uow, call.int_path("id"), principal=call.principal)
        return DomainRow.model_validate(record)

    @delete("/{id:int}", action="domains.edit", summary="End a delegation")
    async def remove(self, call: Call[None, None]) -> None:
        """End a delegation."""
        domains = self._organizations.domains
        async with self._db.write() as uow:
            record = await domains.get(uow.session, call.int_path("id"))
            require_reach(call.principal, "domains.edit", record.organization_id, absent=DomainNotFound)
            await domains.remove(uow, record.id, principal=call.principal)
