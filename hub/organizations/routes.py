"""Admin REST of organizations with their validation, departments, and settings per type of certificate."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from hub.access.policy import scope
from hub.db.errors import NotFound
from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.routing import RouteSet, StreamedResponse, delete, get, patch, post, put
from hub.organizations import validation
from hub.organizations.departments import OWN_ADDRESS, effective_address
from hub.organizations.errors import DepartmentNotFound, InvalidSettings, OrganizationNotFound
from hub.organizations.models import Department, Organization
from hub.organizations.records import ADDRESS, CERTIFICATE_TYPES, OrganizationFields, TypeSettings
from hub.organizations.schemas import (
    DepartmentChange,
    DepartmentCreate,
    DepartmentRow,
    OrganizationChange,
    OrganizationCreate,
    OrganizationRow,
    SettingsBody,
    SettingsList,
    SettingsView,
    ValidationBody,
    ValidationList,
    ValidationView,
)
from hub.organizations.service import STATUSES, OrganizationService, ValidationStep
from hub.organizations.states import ValidationState
from hub.organizations.visibility import require_department, require_reach, require_types

_HEADERS = {
    "street": "Street",
    "locality": "City",
    "state": "State or province",
    "postal_code": "Postal code",
    "country": "Country",
}
_VALIDATIONS = tuple(item.value for item in ValidationState)


def _plain(name: str, expression: Any, header: str, **options: Any) -> Column:
    return Column(name, expression, header, sortable=False, **options)


ORGANIZATIONS = Listing(
    OrganizationRow,
    (
        Column("id", Organization.id, "ID", kind="int", nullable=False),
        Column("public_id", Organization.public_id, "Public ID", nullable=False),
        Column("name", Organization.name, "Name", nullable=False, searchable=True),
        *(_plain(name, getattr(Organization, name), _HEADERS[name], nullable=False) for name in ADDRESS),
        Column("status", Organization.status, "Status", kind="enum", nullable=False, choices=STATUSES),
        _plain("key_recovery", Organization.key_recovery, "Key recovery", filterable=False),
        _plain("validation", Organization.validation, "Validation", kind="enum", choices=_VALIDATIONS),
        _plain("validated_at", Organization.validated_at, "Validated", kind="time"),
        _plain("validation_expires_at", Organization.validation_expires_at, "Validation ends", kind="time"),
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
        *(_plain(name, effective_address(name), _HEADERS[name], nullable=False) for name in ADDRESS),
        _plain("own_address", OWN_ADDRESS, "Own address", kind="bool"),
        _plain("status", Department.status, "Status", kind="enum", choices=STATUSES),
        _plain("key_recovery", Department.key_recovery, "Key recovery", filterable=False),
        Column("created_at", Department.created_at, "Created", kind="time", nullable=False),
    ),
    select_from=Department.__table__.join(Organization.__table__),
    id_column=Department.id,
    default_sort="name",
    search_min_length=1,
)


class OrganizationRoutes(RouteSet):
    """``/organizations``, and validation and departments below each."""

    prefix, tag = "/organizations", "organizations"

    def __init__(self, db: Database, organizations: OrganizationService) -> None:
        self._db = db
        self._organizations = organizations
        self._listing = ListEndpoint(
            db,
            ORGANIZATIONS,
            scope=lambda who: scope(who, Organization.id, action="organizations.view"),
            filename="organizations.csv",
        )
        self._departments = ListEndpoint(
            db,
            DEPARTMENTS,
            scope=lambda who: scope(
                who, Department.organization_id, Department.id, action="departments.view"
            ),
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
        values = call.body.model_dump()
        key_recovery = values.pop("key_recovery")
        async with self._db.write() as uow:
            record = await self._organizations.create(
                uow, OrganizationFields(**values), key_recovery=key_recovery, principal=call.principal
            )
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
        async with self._db.write() as uow:
            record = await self._organizations.update(
                uow, call.int_path("id"), changes=_given(call.body), principal=call.principal
            )
        return OrganizationRow.model_validate(record)

    @post(
        "/{id:int}/validation",
        action="organizations.validate",
        summary="Take a step of an organization's validation",
        body=ValidationBody,
        returns=OrganizationRow,
    )
    async def validate(self, call: Call[ValidationBody, None]) -> OrganizationRow:
        """Submit, validate, refuse, withdraw or expire."""
        organization_id = call.int_path("id")
        require_reach(call.principal, "organizations.validate", organization_id, absent=OrganizationNotFound)
        step = ValidationStep(**call.body.model_dump())
        async with self._db.write() as uow:
            record = await self._organizations.validate(uow, organization_id, step, principal=call.principal)
        return OrganizationRow.model_validate(record)

    @get(
        "/{id:int}/validations",
        action="organizations.view",
        summary="Read the history of an organization's validation",
        returns=ValidationList,
    )
    async def validations(self, call: Call[None, None]) -> ValidationList:
        """Return what was done about the validation, the latest first."""
        require_reach(call.principal, "organizations.view", call.int_path("id"), absent=OrganizationNotFound)
        async with self._db.read() as session:
            steps = await validation.history(session, call.int_path("id"))
        return ValidationList(items=[ValidationView.model_validate(item) for item in steps])

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
        action="departments.create",
        summary="Create a department",
        body=DepartmentCreate,
        returns=DepartmentRow,
        status=201,
    )
    async def create_department(self, call: Call[DepartmentCreate, None]) -> DepartmentRow:
        """Create a department."""
        require_reach(call.principal, "departments.create", call.int_path("id"), absent=OrganizationNotFound)
        values = call.body.model_dump()
        name, key_recovery = values.pop("name"), values.pop("key_recovery")
        async with self._db.write() as uow:
            record = await self._organizations.create_department(
                uow,
                call.int_path("id"),
                name,
                address=values,
                key_recovery=key_recovery,
                principal=call.principal,
            )
        return DepartmentRow.model_validate(record)

    @get(
        "/{id:int}/departments/{department_id:int}",
        action="departments.view",
        summary="Read a department",
        returns=DepartmentRow,
    )
    async def read_department(self, call: Call[None, None]) -> DepartmentRow:
        """Return one department."""
        place = call.int_path("id"), call.int_path("department_id")
        require_department(call.principal, "departments.view", place)
        async with self._db.read() as session:
            return DepartmentRow.model_validate(await self._organizations.department(session, *place))

    @patch(
        "/{id:int}/departments/{department_id:int}",
        action="departments.edit",
        summary="Change a department",
        body=DepartmentChange,
        returns=DepartmentRow,
    )
    async def update_department(self, call: Call[DepartmentChange, None]) -> DepartmentRow:
        """Change, deactivate or reactivate a department."""
        place = call.int_path("id"), call.int_path("department_id")
        require_department(call.principal, "departments.edit", place)
        async with self._db.write() as uow:
            record = await self._organizations.units.update(
                uow, *place, changes=_given(call.body), principal=call.principal
            )
        return DepartmentRow.model_validate(record)


class SettingsRoutes(RouteSet):
    """Settings per type of certificate, below an organization and below each of its departments."""

    prefix, tag = "/organizations", "organization settings"

    def __init__(self, db: Database, organizations: OrganizationService) -> None:
        self._db = db
        self._organizations = organizations

    @get(
        "/{id:int}/settings",
        action="organization_settings.view",
        summary="Read an organization's settings per type of certificate",
        returns=SettingsList,
    )
    async def read(self, call: Call[None, None]) -> SettingsList:
        """Return what is set for each type."""
        organization_id = call.int_path("id")
        require_reach(
            call.principal, "organization_settings.view", organization_id, absent=OrganizationNotFound
        )
        async with self._db.read() as session:
            await self._organizations.get(session, organization_id)
            found = await self._organizations.settings.of(session, (organization_id, None))
        return SettingsList(items=[SettingsView.of(found[item]) for item in CERTIFICATE_TYPES])

    @put(
        "/{id:int}/settings/{type}",
        action="organization_settings.edit",
        summary="Set an organization's settings for a type of certificate",
        body=SettingsBody,
        returns=SettingsView,
    )
    async def set(self, call: Call[SettingsBody, None]) -> SettingsView:
        """Replace the settings for one type."""
        return await self._set(call, (call.int_path("id"), None))

    @get(
        "/{id:int}/departments/{department_id:int}/settings",
        action="organization_settings.view",
        summary="Read a department's settings per type of certificate",
        returns=SettingsList,
    )
    async def read_department(self, call: Call[None, None]) -> SettingsList:
        """Return what is set for each type; the organization's where nothing is."""
        place = call.int_path("id"), call.int_path("department_id")
        require_department(call.principal, "organization_settings.view", place)
        async with self._db.read() as session:
            await self._organizations.department(session, *place)
            own = await self._organizations.settings.of(session, place)
            inherited = await self._organizations.settings.of(session, (place[0], None))
        return SettingsList(
            items=[
                SettingsView.of(own.get(item, inherited[item]), inherited=item not in own)
                for item in CERTIFICATE_TYPES
            ]
        )

    @put(
        "/{id:int}/departments/{department_id:int}/settings/{type}",
        action="organization_settings.edit",
        summary="Set a department's settings for a type of certificate",
        body=SettingsBody,
        returns=SettingsView,
    )
    async def set_department(self, call: Call[SettingsBody, None]) -> SettingsView:
        """Replace the department's own settings for one type; they narrow the organization's."""
        return await self._set(call, (call.int_path("id"), call.int_path("department_id")))

    @delete(
        "/{id:int}/departments/{department_id:int}/settings/{type}",
        action="organization_settings.edit",
        summary="Let a department inherit its organization's settings for a type of certificate",
    )
    async def inherit(self, call: Call[None, None]) -> None:
        """Remove the department's own settings for one type."""
        place = call.int_path("id"), call.int_path("department_id")
        certificate_type = _type(call)
        self._require(call, place, certificate_type)
        async with self._db.write() as uow:
            await self._organizations.department(uow.session, *place)
            await self._organizations.settings.inherit(uow, place, certificate_type, principal=call.principal)

    async def _set(self, call: Call[SettingsBody, None], place: tuple[int, int | None]) -> SettingsView:
        certificate_type = _type(call)
        self._require(call, place, certificate_type)
        organization_id, department_id = place
        settings: TypeSettings = call.body.typed(certificate_type)
        async with self._db.write() as uow:
            await self._organizations.get(uow.session, organization_id)
            if department_id is not None:
                await self._organizations.department(uow.session, organization_id, department_id)
            await self._organizations.settings.set(uow, place, settings, principal=call.principal)
        return SettingsView.of(settings)

    def _require(self, call: Call[Any, None], place: tuple[int, int | None], certificate_type: str) -> None:
        action = "organization_settings.edit"
        absent: type[NotFound] = OrganizationNotFound if place[1] is None else DepartmentNotFound
        require_department(call.principal, action, place, absent=absent)
        require_types(call.principal, action, place, [certificate_type])


def _type(call: Call[Any, None]) -> str:
    certificate_type = call.path["type"]
    if certificate_type not in CERTIFICATE_TYPES:
        raise InvalidSettings(
            f"certificate_type is one of {', '.join(CERTIFICATE_TYPES)}", field="certificate_type"
        )
    return certificate_type


def _given(body: BaseModel) -> dict[str, Any]:
    return body.model_dump(exclude_none=True)
