"""Getting an MRAO back in from the hub's own machine, when nobody can sign in any more.

Whoever can read the hub's data directory could change its database anyway; this does it in the open, with an
entry in the audit log.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import delete, select, update

from hub.access import audit
from hub.access.errors import NoSuchAdministrator
from hub.access.login_limits import forget_failures
from hub.access.models import Administrator, RoleGrantRow, Session
from hub.access.passwords import Passwords, random_password
from hub.access.signin.models import AccessRule
from hub.access.signin.second_factors import remove_all
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal, Role

COMMAND_LINE = Principal(kind="system", id="command line", name="command line of the host")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What to do. ``username`` None takes the oldest MRAO who is active, else the oldest."""

    username: str | None = None
    reset_factors: bool = False
    lift_access_rules: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Who it was, and the new password; shown once."""

    username: str
    password: str = field(repr=False)


async def recover(uow: UnitOfWork, wanted: Recovery, passwords: Passwords) -> Recovered:
    """Give an MRAO a new password, to be changed at the next sign-in; switch on and unlock the account.

    Raises:
        NoSuchAdministrator: there is no MRAO of this name.
    """
    statement = (
        select(Administrator.id, Administrator.username)
        .join(RoleGrantRow, RoleGrantRow.administrator_id == Administrator.id)
        .where(RoleGrantRow.role == Role.MRAO.value, Administrator.type.in_(("standard", "idp_user")))
        .order_by(Administrator.active.desc(), Administrator.id)
        .limit(1)
    )
    if wanted.username is not None:
        statement = statement.where(Administrator.username == wanted.username.lower())
    row = (await uow.session.execute(statement)).first()
    if row is None:
        raise NoSuchAdministrator(
            "there is no MRAO to recover" if wanted.username is None else "there is no MRAO of this user name"
        )
    password = random_password()
    await uow.session.execute(
        update(Administrator)
        .where(Administrator.id == row.id)
        .values(
            password_hash=await passwords.hash(password),
            must_change_password=True,
            active=True,
            deactivated_at=None,
            # Somebody of an identity provider gets a password of their own.
            type="standard",
        )
    )
    await uow.session.execute(delete(Session).where(Session.administrator_id == row.id))
    await forget_failures(uow, row.username)
    await forget_failures(uow, str(row.id), kind="factor")
    if wanted.reset_factors:
        await remove_all(uow, row.id)
    if wanted.lift_access_rules:
        await uow.session.execute(delete(AccessRule))
    await audit.record(
        uow,
        principal=COMMAND_LINE,
        action="AdministratorRecovered",
        object_type="administrator",
        object_id=str(row.id),
        organization_id=None,
        details={
            "username": row.username,
            "factors_reset": wanted.reset_factors,
            "access_rules_lifted": wanted.lift_access_rules,
        },
    )
    return Recovered(username=row.username, password=password)
