"""Administrators: creating and changing them, their roles and privileges, switching them off, deleting them.

What may be handed over is decided by :mod:`hub.access.delegation`. Switching off keeps the row, so history
still has a name; deleting is for those who were made by mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import column, delete, insert, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.delegation import HANDOVER_CHECKS, Deed, Handover, Rights, as_documents
from hub.access.errors import HandoverRefused, LastMaster, NoSuchAdministrator, PlaceUnknown, UsernameTaken
from hub.access.models import Administrator, RoleGrantRow, Session
from hub.access.passwords import Passwords, check_password
from hub.access.policy import types_of
from hub.access.privileges import API_ONLY, EVERY_POWER, given_by_default
from hub.access.visibility import types_key, visible_administrator
from hub.db.errors import Malformed
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal, Role, RoleGrant
from pki.findings import all_findings

TYPES = ("standard", "idp_user", "idp_template", "api")
"""Types: with a password, of an identity provider, a template for those, for scripts only."""

PROFILE_FIELDS = (
    "title",
    "phone",
    "street",
    "locality",
    "state",
    "postal_code",
    "country",
    "relationship",
    "locale",
)
"""What administrators change of themselves."""

_CHANGEABLE = frozenset({"name", "email", "must_change_password", *PROFILE_FIELDS})
# Of the organizations room, which stands above this one.
_ORGANIZATIONS = table("organizations", column("id"))
_DEPARTMENTS = table("departments", column("id"), column("organization_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAdministrator:
    """Somebody to be created. ``privileges`` None: what the roles get by default, of what the creator has.

    ``password`` None: signing in takes another way (identity provider, certificate, API token).
    """

    username: str
    name: str
    grants: Sequence[RoleGrant]
    password: str | None = field(default=None, repr=False)
    email: str = ""
    type: str = "standard"
    privileges: Collection[str] | None = None
    must_change_password: bool = False
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministratorChanges:
    """Changes of an administrator; None stays as it is. ``fields`` are plain columns."""

    grants: Sequence[RoleGrant] | None = None
    privileges: Collection[str] | None = None
    active: bool | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


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
        grants: Sequence[RoleGrant],
        **more: Any,
    ) -> int:
        """Create an administrator and return the id; ``more`` are fields of :class:`NewAdministrator`."""
        wanted = NewAdministrator(username=username, name=name, grants=grants, **more)
        return await self.add(uow, wanted, principal=principal)

    async def add(self, uow: UnitOfWork, wanted: NewAdministrator, *, principal: Principal) -> int:
        """Create an administrator and return the id.

        Raises:
            WeakPassword: the password breaks a rule.
            UsernameTaken: the user name is in use.
            HandoverRefused: the principal does not have what they want to hand over.
            PlaceUnknown: there is no such organization or department.
        """
        username = wanted.username.lower()
        rights = Rights(tuple(wanted.grants), _privileges(wanted, principal))
        _check(Handover(principal=principal, deed=Deed.CREATE, after=rights))
        await _check_places(uow.session, rights.grants)
        password_hash = await self._first_hash(wanted, username)
        taken = select(Administrator.id).where(Administrator.username == username)
        if (await uow.session.execute(taken)).first() is not None:
            raise UsernameTaken(field="username")
        administrator = Administrator(
            username=username,
            name=wanted.name,
            email=wanted.email,
            type=wanted.type,
            privileges=sorted(rights.privileges),
            password_hash=password_hash,
            must_change_password=wanted.must_change_password,
            created_at=uow.now,
            created_by=principal.name,
            **{name: wanted.details[name] for name in PROFILE_FIELDS if name in wanted.details},
        )
        uow.session.add(administrator)
        await uow.session.flush()
        await _insert_grants(uow.session, administrator.id, rights.grants)
        details = {"username": username, "type": wanted.type, **_rights_document(rights)}
        await _note(uow, principal, "AdministratorCreated", administrator.id, details)
        return administrator.id

    async def _first_hash(self, wanted: NewAdministrator, username: str) -> str:
        if wanted.type not in TYPES:
            raise Malformed(f"{wanted.type[:32]!r} is not a type of administrator", field="type")
        if wanted.type != "standard":
            if wanted.password is not None:
                raise Malformed("only administrators of type standard have a password", field="password")
            return ""
        if wanted.password is None:
            raise Malformed("give a first password", field="password")
        check_password(wanted.password, username=username)
        return await self._passwords.hash(wanted.password)

    async def change(
        self,
        uow: UnitOfWork,
        administrator_id: int,
        *,
        principal: Principal,
        active: bool | None = None,
        grants: Sequence[RoleGrant] | None = None,
    ) -> None:
        """Switch an administrator on or off, or replace their roles; see :meth:`apply`."""
        changes = AdministratorChanges(active=active, grants=grants)
        await self.apply(uow, administrator_id, changes, principal=principal)

    async def apply(
        self,
        uow: UnitOfWork,
        administrator_id: int,
        changes: AdministratorChanges,
        *,
        principal: Principal,
    ) -> None:
        """Change an administrator. Switching off ends their sessions.

        Raises:
            NoSuchAdministrator: there is none of this id that the principal may see.
            HandoverRefused: the principal does not have what they want to hand over, or who they change has
                more than they.
            LastMaster: nobody would be left to undo it.
        """
        masters = await _masters(uow.session)
        before = await _held(uow.session, administrator_id, principal)
        after = Rights(
            before.grants if changes.grants is None else tuple(changes.grants),
            before.privileges if changes.privileges is None else frozenset(changes.privileges),
        )
        own = principal.id == str(administrator_id)
        _check(Handover(principal=principal, deed=Deed.EDIT, before=before, after=after, own=own))
        await _check_places(uow.session, after.grants)
        row = await uow.session.get(Administrator, administrator_id, populate_existing=True)
        if row is None:
            raise NoSuchAdministrator
        old = _document(row, before)
        _assign(row, changes, after, uow)
        if changes.grants is not None:
            await uow.session.execute(
                delete(RoleGrantRow).where(RoleGrantRow.administrator_id == administrator_id)
            )
            await _insert_grants(uow.session, administrator_id, after.grants)
        if changes.active is False:
            await uow.session.execute(delete(Session).where(Session.administrator_id == administrator_id))
        await uow.session.flush()
        await _keep_a_master(uow.session, masters)
        details = audit.changes(old, _document(row, after))
        await _note(uow, principal, "AdministratorChanged", administrator_id, details)

    async def change_own(self, uow: UnitOfWork, fields: Mapping[str, str], *, principal: Principal) -> None:
        """Change what administrators may change of themselves: :data:`PROFILE_FIELDS`."""
        row = await uow.session.get(Administrator, int(principal.id), populate_existing=True)
        if row is None:
            raise NoSuchAdministrator
        before = {name: getattr(row, name) for name in PROFILE_FIELDS}
        for name in PROFILE_FIELDS:
            setattr(row, name, fields.get(name, before[name]))
        await uow.session.flush()
        details = audit.changes(before, {name: getattr(row, name) for name in PROFILE_FIELDS})
        await _note(uow, principal, "ProfileChanged", row.id, details)

    async def set_password(
        self, uow: UnitOfWork, administrator_id: int, password: str, *, principal: Principal
    ) -> None:
        """Give somebody else a new password, which they must change at their next sign-in.

        Raises:
            NoSuchAdministrator, HandoverRefused: as :meth:`apply`.
            WeakPassword: the password breaks a rule.
        """
        before = await _held(uow.session, administrator_id, principal)
        _check(Handover(principal=principal, deed=Deed.EDIT, before=before, after=before))
        row = await uow.session.get(Administrator, administrator_id, populate_existing=True)
        if row is None or row.type != "standard":
            raise Malformed("only administrators of type standard have a password", field="password")
        check_password(password, username=row.username)
        row.password_hash = await self._passwords.hash(password)
        row.must_change_password = True
        await uow.session.execute(delete(Session).where(Session.administrator_id == administrator_id))
        await _note(uow, principal, "PasswordReset", administrator_id, {})

    async def remove(self, uow: UnitOfWork, administrator_id: int, *, principal: Principal) -> None:
        """Delete an administrator with roles, sessions and tokens; the audit log keeps the name.

        Raises:
            NoSuchAdministrator, HandoverRefused, LastMaster: as :meth:`apply`.
        """
        masters = await _masters(uow.session)
        before = await _held(uow.session, administrator_id, principal)
        own = principal.id == str(administrator_id)
        _check(Handover(principal=principal, deed=Deed.DELETE, before=before, own=own))
        gone = delete(Administrator).where(Administrator.id == administrator_id)
        username = (await uow.session.execute(gone.returning(Administrator.username))).scalar_one()
        await _keep_a_master(uow.session, masters)
        details = {"username": username, **_rights_document(before)}
        await _note(uow, principal, "AdministratorDeleted", administrator_id, details)


async def require_authority(session: AsyncSession, administrator_id: int, principal: Principal) -> None:
    """Do nothing if ``principal`` may change what somebody signs in with.

    Raises:
        NoSuchAdministrator: there is none of this id that the principal may see.
        HandoverRefused: who they are has more than the principal.
    """
    held = await _held(session, administrator_id, principal)
    own = principal.id == str(administrator_id)
    _check(Handover(principal=principal, deed=Deed.EDIT, before=held, after=held, own=own))


def _privileges(wanted: NewAdministrator, principal: Principal) -> frozenset[str]:
    if wanted.privileges is not None:
        chosen = frozenset(wanted.privileges)
    elif principal.kind == "system":
        # The first MRAO has all there is: nobody else could ever give it.
        master = any(grant.role is Role.MRAO for grant in wanted.grants)
        chosen = EVERY_POWER if master else given_by_default(wanted.grants, within=EVERY_POWER)
    else:
        chosen = given_by_default(wanted.grants, within=principal.privileges)
    return chosen | {API_ONLY} if wanted.type == "api" else chosen


def _check(handover: Handover) -> None:
    findings = all_findings(HANDOVER_CHECKS, handover)
    if findings:
        raise HandoverRefused(findings)


async def _check_places(session: AsyncSession, grants: Iterable[RoleGrant]) -> None:
    """Refuse organizations that don't exist, and departments of another organization than named."""
    for grant in grants:
        if grant.organization_id is None:
            continue
        known = select(_ORGANIZATIONS.c.id).where(_ORGANIZATIONS.c.id == grant.organization_id)
        if (await session.execute(known)).first() is None:
            raise PlaceUnknown(f"there is no organization {grant.organization_id}", field="grants")
        if grant.department_id is None:
            continue
        known = select(_DEPARTMENTS.c.id).where(
            _DEPARTMENTS.c.id == grant.department_id,
            _DEPARTMENTS.c.organization_id == grant.organization_id,
        )
        if (await session.execute(known)).first() is None:
            raise PlaceUnknown(f"the organization has no department {grant.department_id}", field="grants")


async def _held(session: AsyncSession, administrator_id: int, principal: Principal) -> Rights:
    """Return what an administrator holds, and lock them; raise NoSuchAdministrator outside the scope."""
    statement = select(Administrator.privileges).where(
        Administrator.id == administrator_id, *visible_administrator(principal)
    )
    row = (await session.execute(statement.with_for_update())).first()
    if row is None:
        raise NoSuchAdministrator
    return Rights(await load_grants(session, administrator_id), frozenset(row.privileges))


def _assign(row: Administrator, changes: AdministratorChanges, after: Rights, uow: UnitOfWork) -> None:
    row.privileges = sorted(after.privileges)
    if changes.active is not None and changes.active != row.active:
        row.active = changes.active
        row.deactivated_at = None if changes.active else uow.now
    for name, value in changes.fields.items():
        if name not in _CHANGEABLE:
            raise Malformed(f"{name} can't be changed", field=name)
        setattr(row, name, value)


def _document(row: Administrator, rights: Rights) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in sorted(_CHANGEABLE | {"active"})}
    return {**plain, **_rights_document(rights)}


def _rights_document(rights: Rights) -> dict[str, Any]:
    return {"roles": as_documents(rights.grants), "privileges": sorted(rights.privileges)}


_MASTERS = (
    select(Administrator.id)
    .join(RoleGrantRow, Administrator.id == RoleGrantRow.administrator_id)
    .where(
        Administrator.active,
        Administrator.type != "idp_template",
        RoleGrantRow.role == Role.MRAO.value,
    )
    .order_by(Administrator.id)
    .with_for_update(of=Administrator)
)


async def _masters(session: AsyncSession) -> set[int]:
    """Return the active MRAOs, and lock them: two who remove each other at once must not both succeed."""
    return set(await session.scalars(_MASTERS))


async def _keep_a_master(session: AsyncSession, before: set[int]) -> None:
    if before and not await _masters(session):
        raise LastMaster


async def _insert_grants(session: AsyncSession, administrator_id: int, grants: Sequence[RoleGrant]) -> None:
    rows = [
        {"administrator_id": administrator_id, "types_key": types_key(types_of(grant)), **document}
        for grant, document in zip(grants, as_documents(grants), strict=True)
    ]
    await session.execute(insert(RoleGrantRow), rows)


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
