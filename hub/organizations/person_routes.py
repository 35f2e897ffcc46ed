"""Admin REST of persons."""

from __future__ import annotations

from typing import Any

from hub.access.policy import Target, require_object, scope
from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.routing import RouteSet, StreamedResponse, delete, get, patch, post
from hub.organizations.errors import OrganizationNotFound, PersonNotFound
from hub.organizations.models import Department, Organization, Person
from hub.organizations.person_rules import VALIDATION_TYPES
from hub.organizations.person_schemas import PersonChange, PersonCreate, PersonRow
from hub.organizations.persons import search_condition
from hub.organizations.records import PersonFields, PersonRecord
from hub.organizations.service import OrganizationService
from hub.organizations.visibility import require_department


def _plain(name: str, expression: Any, header: str, **options: Any) -> Column:
    return Column(name, expression, header, sortable=False, **options)


PERSONS = Listing(
    PersonRow,
    (
        Column("id", Person.id, "ID", kind="int", nullable=False),
        Column("common_name", Person.common_name, "Common Name", nullable=False),
        _plain("email", Person.email, "Email", nullable=False),
        _plain("organization_id", Person.organization_id, "Organization ID", kind="int", nullable=False),
        _plain("organization_name", Organization.name, "Organization", nullable=False),
        _plain("department_id", Person.department_id, "Department ID", kind="int"),
        _plain("department_name", Department.name, "Department"),
        _plain("domain", Person.domain, "Domain", nullable=False),
        _plain("first_name", Person.first_name, "First Name", nullable=False),
        _plain("middle_name", Person.middle_name, "Middle Name", nullable=False),
        Column("last_name", Person.last_name, "Last Name", nullable=False),
        _plain("phone", Person.phone, "Phone", nullable=False),
        _plain("alternative_emails", Person.alternative_emails, "Alternative Emails", filterable=False),
        _plain("has_secret_id", Person.secret_id_hash.is_not(None), "Secret ID", kind="bool"),
        _plain(
            "validation_type",
            Person.validation_type,
            "Validation Type",
            kind="enum",
            nullable=False,
            choices=VALIDATION_TYPES,
        ),
        _plain("principal_name", Person.principal_name, "Principal Name", nullable=False),
        _plain("eppn", Person.eppn, "EPPN", nullable=False),
        _plain("created_via", Person.created_via, "Created Via", nullable=False),
        _plain("created_at", Person.created_at, "Created", kind="time", nullable=False),
        _plain("changed_at", Person.changed_at, "Changed", kind="time", nullable=False),
    ),
    select_from=Person.__table__.join(
        Organization.__table__, Organization.id == Person.organization_id
    ).outerjoin(Department.__table__, Department.id == Person.department_id),
    id_column=Person.id,
    default_sort="common_name",
    search=search_condition,
)


class PersonRoutes(RouteSet):
    """``/persons``: people who own client certificates or ask for others."""

    prefix, tag = "/persons", "persons"

    def __init__(self, db: Database, organizations: OrganizationService) -> None:
        self._db = db
        self._organizations = organizations
        self._persons = organizations.persons
        self._listing = ListEndpoint(
            db,
            PERSONS,
            scope=lambda who: scope(who, Person.organization_id, Person.department_id, action="persons.view"),
            filename="persons.csv",
        )

    @get(
        "",
        action="persons.view",
        summary="List persons",
        query=ListQuery,
        returns=Page[PersonRow],
        listing=PERSONS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[PersonRow] | StreamedResponse:
        """Return a page of persons."""
        return await self._listing(call)

    @post(
        "",
        action="persons.edit",
        summary="Create a person",
        body=PersonCreate,
        returns=PersonRow,
        status=201,
    )
    async def create(self, call: Call[PersonCreate, None]) -> PersonRow:
        """Create a person."""
        values = call.body.model_dump()
        person = PersonFields(**values | {"alternative_emails": tuple(call.body.alternative_emails)})
        place = person.organization_id, person.department_id
        require_department(call.principal, "persons.edit", place, absent=OrganizationNotFound)
        async with self._db.write() as uow:
            await self._require_place(uow.session, place)
            record = await self._persons.create(uow, person, principal=call.principal)
        return PersonRow.model_validate(record)

    @get("/{id:int}", action="persons.view", summary="Read a person", returns=PersonRow)
    async def read(self, call: Call[None, None]) -> PersonRow:
        """Return one person."""
        async with self._db.read() as session:
            return PersonRow.model_validate(await self._reached(session, call, "persons.view"))

    @patch(
        "/{id:int}",
        action="persons.edit",
        summary="Change a person",
        body=PersonChange,
        returns=PersonRow,
    )
    async def update(self, call: Call[PersonChange, None]) -> PersonRow:
        """Change a person; the organization stays."""
        changes = {
            name: getattr(call.body, name)
            for name in call.body.model_fields_set
            if getattr(call.body, name) is not None or name == "department_id"
        }
        if "alternative_emails" in changes:
            changes["alternative_emails"] = tuple(changes["alternative_emails"])
        async with self._db.write() as uow:
            before = await self._reached(uow.session, call, "persons.edit")
            if "department_id" in changes:
                place = before.organization_id, changes["department_id"]
                require_department(call.principal, "persons.edit", place)
                await self._require_place(uow.session, place)
            record = await self._persons.update(uow, before.id, changes=changes, principal=call.principal)
        return PersonRow.model_validate(record)

    @delete("/{id:int}", action="persons.edit", summary="Delete a person")
    async def remove(self, call: Call[None, None]) -> None:
        """Delete a person."""
        async with self._db.write() as uow:
            record = await self._reached(uow.session, call, "persons.edit")
            await self._persons.delete(uow, record.id, principal=call.principal)

    async def _require_place(self, session: Any, place: tuple[int, int | None]) -> None:
        organization_id, department_id = place
        await self._organizations.get(session, organization_id)
        if department_id is not None:
            await self._organizations.department(session, organization_id, department_id)

    async def _reached(self, session: Any, call: Call[Any, None], action: str) -> PersonRecord:
        record = await self._persons.get(session, call.int_path("id"))
        target = Target(organization_id=record.organization_id, department_id=record.department_id)
        require_object(call.principal, action, target, absent=PersonNotFound)
        return record
