"""Admin REST of administrators, the own profile, and general settings."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.administrator_schemas import (
    ActivityRow,
    AdministratorChange,
    AdministratorDetail,
    AdministratorIn,
    AdministratorRow,
    Created,
    GeneralSettings,
    GeneralSettingsChange,
    NewPassword,
    PrivilegeList,
    PrivilegeView,
    Profile,
    ProfileChange,
)
from hub.access.administrators import (
    PROFILE_FIELDS,
    TYPES,
    AdministratorChanges,
    NewAdministrator,
    load_grants,
)
from hub.access.errors import NoSuchAdministrator
from hub.access.general_settings import change_general, read_general
from hub.access.models import Administrator, AuditEntry
from hub.access.privileges import PRIVILEGES
from hub.access.schemas import GrantSchema
from hub.access.service import AccessService
from hub.access.visibility import visible_administrator
from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.principal import Principal, Role
from hub.http.routing import RouteSet, StreamedResponse, delete, get, patch, post

ADMINISTRATORS = Listing(
    AdministratorRow,
    (
        Column("id", Administrator.id, "ID", kind="int", nullable=False),
        Column("username", Administrator.username, "User name", nullable=False, searchable=True),
        Column("name", Administrator.name, "Name", nullable=False, searchable=True),
        Column("email", Administrator.email, "E-mail", nullable=False, searchable=True),
        Column("type", Administrator.type, "Type", kind="enum", nullable=False, choices=TYPES),
        Column("active", Administrator.active, "Active", kind="bool", nullable=False),
        Column("created_at", Administrator.created_at, "Created", kind="time", nullable=False),
        Column("last_login_at", Administrator.last_login_at, "Last sign-in", kind="time"),
    ),
    select_from=Administrator,
    id_column=Administrator.id,
    default_sort="username",
    search_min_length=1,
)

ACTIVITY = Listing(
    ActivityRow,
    (
        Column("sequence", AuditEntry.sequence, "Number", kind="int", nullable=False),
        Column("at", AuditEntry.at, "Time", kind="time", nullable=False),
        Column("action", AuditEntry.action, "What", sortable=False),
        Column("remote", AuditEntry.remote, "Address", sortable=False),
        Column("user_agent", AuditEntry.user_agent, "Program", sortable=False),
    ),
    select_from=AuditEntry,
    id_column=AuditEntry.sequence,
    default_sort="-sequence",
)


class AdministratorRoutes(RouteSet):
    """Administrators, their roles and privileges."""

    prefix = "/administrators"
    tag = "administrators"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db
        self._administrators = access.administrators
        self._listing = ListEndpoint(access.db, ADMINISTRATORS, scope=_scope, filename="administrators.csv")

    @get(
        "",
        action="administrators.view",
        summary="List administrators",
        query=ListQuery,
        returns=Page[AdministratorRow],
        listing=ADMINISTRATORS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[AdministratorRow] | StreamedResponse:
        """List the administrators whose rights lie within the caller's."""
        return await self._listing(call)

    @post(
        "",
        action="administrators.create",
        summary="Create an administrator",
        body=AdministratorIn,
        returns=Created,
        status=201,
    )
    async def create(self, call: Call[AdministratorIn, None]) -> Created:
        """Create an administrator with no more than the caller has."""
        body = call.body
        wanted = NewAdministrator(
            username=body.username,
            name=body.name,
            email=body.email,
            type=body.type,
            password=None if body.password is None else body.password.get_secret_value(),
            must_change_password=body.must_change_password,
            privileges=body.privileges,
            grants=[grant.to_grant() for grant in body.grants],
            details=_profile_fields(body),
        )
        async with self._db.write() as uow:
            return Created(id=await self._administrators.add(uow, wanted, principal=call.principal))

    @get(
        "/privileges",
        action="administrators.view",
        summary="List all privileges",
        returns=PrivilegeList,
    )
    async def privileges(self, call: Call[None, None]) -> PrivilegeList:
        """Say what privileges there are, who may hold them, and which the caller may give away."""
        return PrivilegeList(
            items=[
                PrivilegeView(
                    name=item.name,
                    title=item.title,
                    description=item.description,
                    roles=[role.value for role in Role if role in item.roles],
                    given_to=[role.value for role in Role if role in item.given_to],
                    restricts=item.restricts,
                    yours=item.restricts or item.name in call.principal.privileges,
                )
                for item in PRIVILEGES
            ]
        )

    @get(
        "/{id:int}",
        action="administrators.view",
        summary="Read an administrator",
        returns=AdministratorDetail,
    )
    async def read(self, call: Call[None, None]) -> AdministratorDetail:
        """Return one administrator."""
        async with self._db.read() as session:
            return AdministratorDetail.model_validate(
                await _describe(session, call.int_path("id"), call.principal)
            )

    @patch(
        "/{id:int}", action="administrators.edit", summary="Change an administrator", body=AdministratorChange
    )
    async def change(self, call: Call[AdministratorChange, None]) -> None:
        """Change data, roles or privileges, or switch an administrator on or off."""
        body = call.body
        fields: dict[str, Any] = dict(_profile_fields(body))
        for name in ("name", "email", "must_change_password"):
            if (value := getattr(body, name)) is not None:
                fields[name] = value
        changes = AdministratorChanges(
            active=body.active,
            privileges=body.privileges,
            grants=None if body.grants is None else [grant.to_grant() for grant in body.grants],
            fields=fields,
        )
        async with self._db.write() as uow:
            await self._administrators.apply(uow, call.int_path("id"), changes, principal=call.principal)

    @post(
        "/{id:int}/password",
        action="administrators.edit",
        summary="Give an administrator a new password",
        body=NewPassword,
    )
    async def set_password(self, call: Call[NewPassword, None]) -> None:
        """Set a first password again; it must be changed at the next sign-in."""
        password = call.body.password.get_secret_value()
        async with self._db.write() as uow:
            await self._administrators.set_password(
                uow, call.int_path("id"), password, principal=call.principal
            )

    @delete("/{id:int}", action="administrators.delete", summary="Delete an administrator")
    async def remove(self, call: Call[None, None]) -> None:
        """Delete an administrator; to keep the history under their name, deactivate instead."""
        async with self._db.write() as uow:
            await self._administrators.remove(uow, call.int_path("id"), principal=call.principal)


class ProfileRoutes(RouteSet):
    """The caller's own profile."""

    prefix = "/profile"
    tag = "profile"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db
        self._administrators = access.administrators
        self._activity = ListEndpoint(access.db, ACTIVITY, filename="activity.csv")

    @get("", action="account.view", summary="Read the own profile", returns=Profile)
    async def read(self, call: Call[None, None]) -> Profile:
        """Return the caller's own data."""
        async with self._db.read() as session:
            return Profile.model_validate(await _describe(session, int(call.principal.id), call.principal))

    @patch("", action="account.edit", summary="Change the own profile", body=ProfileChange, returns=Profile)
    async def change(self, call: Call[ProfileChange, None]) -> Profile:
        """Change what administrators may change of themselves."""
        async with self._db.write() as uow:
            await self._administrators.change_own(uow, _profile_fields(call.body), principal=call.principal)
            return Profile.model_validate(
                await _describe(uow.session, int(call.principal.id), call.principal)
            )

    @get(
        "/activity",
        action="account.view",
        summary="List the own sign-ins",
        query=ListQuery,
        returns=Page[ActivityRow],
        listing=ACTIVITY,
    )
    async def activity(self, call: Call[None, ListQuery]) -> Page[ActivityRow] | StreamedResponse:
        """Return when and from where the caller signed in."""
        own = and_(
            AuditEntry.action == "SignedIn",
            AuditEntry.object_type == "administrator",
            AuditEntry.object_id == call.principal.id,
        )
        return await self._activity(call, where=own)


class SettingsRoutes(RouteSet):
    """General settings."""

    prefix = "/settings"
    tag = "settings"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db

    @get("/general", action="settings.view", summary="Read general settings", returns=GeneralSettings)
    async def read(self, call: Call[None, None]) -> GeneralSettings:  # noqa: ARG002 - the same for all
        """Return the settings that hold."""
        async with self._db.read() as session:
            return GeneralSettings.model_validate(await read_general(session))

    @patch(
        "/general",
        action="settings.edit",
        summary="Change general settings",
        body=GeneralSettingsChange,
        returns=GeneralSettings,
    )
    async def change(self, call: Call[GeneralSettingsChange, None]) -> GeneralSettings:
        """Change some of the settings."""
        async with self._db.write() as uow:
            changed = await change_general(
                uow, call.body.model_dump(exclude_none=True), principal=call.principal
            )
        return GeneralSettings.model_validate(changed)


def _scope(principal: Principal) -> Any:
    conditions = visible_administrator(principal)
    return and_(*conditions) if conditions else None


def _profile_fields(body: ProfileChange) -> dict[str, str]:
    return {name: value for name in PROFILE_FIELDS if (value := getattr(body, name)) is not None}


async def _describe(session: AsyncSession, administrator_id: int, principal: Principal) -> dict[str, Any]:
    row = await session.scalar(
        select(Administrator)
        .where(Administrator.id == administrator_id, *visible_administrator(principal))
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NoSuchAdministrator
    grants = [GrantSchema.of(grant) for grant in await load_grants(session, administrator_id)]
    columns = {column.key: getattr(row, column.key) for column in Administrator.__table__.columns}
    return {**columns, "grants": grants}
