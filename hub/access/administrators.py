"""Administrators: creating them, their roles, switching them off, and turning them into principals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.errors import LastMaster, NoSuchAdministrator, UsernameTaken
from hub.access.models import Administrator, RoleGrantRow, Session
from hub.access.passwords import Passwords, check_password
from hub.db.errors import Malformed
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal, Role, RoleGrant


async def load_grants(session: AsyncSession, administrator_id: int) -> tuple[RoleGrant, ...]:
    """Return the roles of an administrator."""
    statement = (
        select(
            RoleGrantRow.role,
            RoleGrantRow.organization_id,
            RoleGrantRow.department_id,
            RoleGrantRow.certificate_types,
        )
        .where(RoleGrantRow.administrator_id == administrator_id)
        .order_by(RoleGrantRow.id)
    )
    return tuple(
        RoleGrant(
            role=Role(row.role),
            organization_id=row.organization_id,
            department_id=row.department_id,
            certificate_types=frozenset(row.certificate_types),
        )
        for row in await session.execute(statement)
    )


def check_grants(grants: Sequence[RoleGrant]) -> None:
    """Hold roles to their shape: MRAO has no limits, RAO an organization, DRAO a department of one.

    Raises:
        Malformed: a role has too few or too many limits.
    """
    if not grants:
        raise Malformed("give at least one role", field="grants")
    for grant in grants:
        wanted = {
            Role.MRAO: (False, False),
            Role.RAO: (True, False),
            Role.DRAO: (True, True),
        }[grant.role]
        if (grant.organization_id is not None, grant.department_id is not None) != wanted:
            raise Malformed(
                "MRAO has no limits, RAO needs an organization, DRAO an organization and a department",
                field="grants",
            )


class Administrators:
    """The rules for administrators."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords

    async def create(
        self,
        uow: UnitOfWork,
        *,
        principal: Principal,
        username: str,
        name: str,
        password: str,
        grants: Sequence[RoleGrant],
        email: str = "",
    ) -> int:
        """Create an administrator and return the id.

        Raises:
            WeakPassword: the password breaks a rule.
            UsernameTaken: the user name is in use.
            Malformed: the roles have the wrong shape.
        """
        username = username.lower()
        check_password(password, username=username)
        check_grants(grants)
        taken = select(Administrator.id).where(Administrator.username == username)
        if (await uow.session.execute(taken)).first() is not None:
            raise UsernameTaken(field="username")
        administrator = Administrator(
            username=username,
            name=name,
            email=email,
            password_hash=await self._passwords.hash(password),
            created_at=uow.now,
        )
        uow.session.add(administrator)
        await uow.session.flush()
        await _insert_grants(uow.session, administrator.id, grants)
        await _note(
            uow,
            principal,
            "AdministratorCreated",
            administrator.id,
            {"username": username, "roles": _roles(grants)},
        )
        return administrator.id

    async def change(
        self,
        uow: UnitOfWork,
        administrator_id: int,
        *,
        principal: Principal,
        active: bool | None = None,
        grants: Sequence[RoleGrant] | None = None,
    ) -> None:
        """Switch an administrator on or off, or replace their roles. Switching off ends their sessions.

        Raises:
            NoSuchAdministrator: there is none of this id.
            LastMaster: nobody would be left to undo it.
        """
        known = select(Administrator.id).where(Administrator.id == administrator_id).with_for_update()
        if (await uow.session.execute(known)).first() is None:
            raise NoSuchAdministrator
        details: dict[str, Any] = {}
        if active is not None:
            details["active"] = active
            await uow.session.execute(
                update(Administrator).where(Administrator.id == administrator_id).values(active=active)
            )
            if not active:
                await uow.session.execute(delete(Session).where(Session.administrator_id == administrator_id))
        if grants is not None:
            check_grants(grants)
            details["roles"] = _roles(grants)
            await uow.session.execute(
                delete(RoleGrantRow).where(RoleGrantRow.administrator_id == administrator_id)
            )
            await _insert_grants(uow.session, administrator_id, grants)
        await _keep_a_master(uow.session)
        await _note(uow, principal, "AdministratorChanged", administrator_id, details)


async def _keep_a_master(session: AsyncSession) -> None:
    masters = (
        select(func.count())
        .select_from(RoleGrantRow)
        .join(Administrator, Administrator.id == RoleGrantRow.administrator_id)
        .where(Administrator.active, RoleGrantRow.role == Role.MRAO.value)
    )
    if (await session.execute(masters)).scalar_one() == 0:
        raise LastMaster


async def _insert_grants(session: AsyncSession, administrator_id: int, grants: Iterable[RoleGrant]) -> None:
    await session.execute(
        insert(RoleGrantRow),
        [
            {
                "administrator_id": administrator_id,
                "role": grant.role.value,
                "organization_id": grant.organization_id,
                "department_id": grant.department_id,
                "certificate_types": sorted(grant.certificate_types),
            }
            for grant in grants
        ],
    )


async def _note(
    uow: UnitOfWork, principal: Principal, kind: str, administrator_id: int, details: dict[str, Any]
) -> None:
    uow.emit(Event(kind=kind, object_type="administrator", object_id=str(administrator_id)))
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type="administrator",
        object_id=str(administrator_id),
        organization_id=None,
        details=details,
    )


def _roles(grants: Iterable[RoleGrant]) -> list[dict[str, Any]]:
    return [
        {
            "role": grant.role.value,
            "organization_id": grant.organization_id,
            "department_id": grant.department_id,
        }
        for grant in grants
    ]
