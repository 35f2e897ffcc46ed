"""Persons in the database: made by hand, by import, or on somebody's first request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.passwords import Passwords
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.organizations.domain_patterns import covering_patterns
from hub.organizations.domains import DomainDelegations
from hub.organizations.errors import InvalidPerson, PersonEmailTaken, PersonNotFound
from hub.organizations.models import Department, Domain, Organization, Person
from hub.organizations.person_rules import (
    MAX_NAMES_TOGETHER,
    PersonCheck,
    check_person,
    domain_of,
    full_name,
    normalized,
    principal_name,
)
from hub.organizations.policy import Holder
from hub.organizations.records import CERTIFICATE_TYPES, PersonFields, PersonRecord
from hub.organizations.states import DomainState
from hub.organizations.type_settings import CertificateTypeSettings
from pki.findings import Finding

_RECORDED = tuple(item.name for item in fields(PersonRecord) if item.name != "has_secret_id")
PERSON_COLUMNS = (
    *(getattr(Person, name) for name in _RECORDED),
    Person.secret_id_hash.is_not(None).label("has_secret_id"),
)
# What a certificate says about a person: when it changes, certificates no longer tell the truth.
_IDENTITY = ("email", "common_name", "first_name", "middle_name", "last_name", "principal_name")
# Client certificates first: what they lack is what is told.
_TYPES = sorted(CERTIFICATE_TYPES, key=lambda item: item != "client")
REQUESTER_FIRST_NAME = "requesterSSL"


@dataclass(frozen=True, slots=True)
class _Checked:
    """A person that passed, with what belongs into the columns."""

    values: dict[str, Any]
    secret_id: str | None


class Persons:
    """Reads and changes persons; organization and department exist and belong together, says the caller."""

    def __init__(
        self, domains: DomainDelegations, settings: CertificateTypeSettings, secrets: Passwords | None = None
    ) -> None:
        self._domains = domains
        self._settings = settings
        self._secrets = secrets or Passwords()

    async def get(self, session: AsyncSession, person_id: int) -> PersonRecord:
        """Return one person; raise PersonNotFound."""
        row = (await session.execute(select(*PERSON_COLUMNS).where(Person.id == person_id))).one_or_none()
        if row is None:
            raise PersonNotFound
        return _record(row)

    async def find(self, session: AsyncSession, organization_id: int, email: str) -> PersonRecord | None:
        """Return an organization's person of this address, whatever its case."""
        statement = select(*PERSON_COLUMNS).where(
            Person.organization_id == organization_id, Person.email_key == normalized(email).lower()
        )
        row = (await session.execute(statement)).one_or_none()
        return None if row is None else _record(row)

    async def check(self, session: AsyncSession, person: PersonFields) -> PersonCheck:
        """Gather what the rules of :mod:`hub.organizations.person_rules` look at."""
        place = Holder(person.organization_id, person.department_id)
        addresses = [normalized(item) for item in (person.email, *person.alternative_emails)]
        domains = {domain_of(address) for address in addresses if address}
        settings = await self._settings.effective(session, person.organization_id, "client")
        organization_active, department_active = await _active(session, place)
        return PersonCheck(
            fields=person,
            organization_active=organization_active,
            department_active=department_active,
            delegation=await self._delegation(session, place, sorted(domains)),
            settings=settings.of(person.department_id),
        )

    async def create(
        self,
        uow: UnitOfWork,
        person: PersonFields,
        *,
        principal: Principal,
        created_via: str = "Client Admin",
    ) -> PersonRecord:
        """Create a person.

        Raises:
            InvalidPerson: rules that the fields break, all of them.
            PersonEmailTaken: the organization has somebody of this address.
        """
        checked = await self._checked(uow.session, person)
        values = checked.values | {"created_via": created_via, "created_at": uow.now, "changed_at": uow.now}
        if checked.secret_id:
            values["secret_id_hash"] = await self._secrets.hash(checked.secret_id)
        try:
            async with uow.savepoint():
                statement = insert(Person).values(**values).returning(Person.id)
                person_id = (await uow.session.execute(statement)).scalar_one()
        except IntegrityError as fault:
            raise _taken(person) from fault
        record = await self.get(uow.session, person_id)
        await _note(uow, "PersonCreated", record, principal=principal, details=_told(checked.values))
        return record

    async def ensure(
        self,
        uow: UnitOfWork,
        *,
        organization_id: int,
        email: str,
        principal: Principal,
        department_id: int | None = None,
        created_via: str = "Enrollment Form",
    ) -> PersonRecord:
        """Return the person who asks for a certificate, made on their first request.

        Who is new is called ``requesterSSL`` and the domain of the address until somebody knows better.

        Raises:
            InvalidPerson: the address is none, or its domain is not delegated.
        """
        found = await self.find(uow.session, organization_id, email)
        if found is not None:
            return found
        domain = domain_of(normalized(email))
        person = PersonFields(
            organization_id=organization_id,
            department_id=department_id,
            email=email,
            first_name=REQUESTER_FIRST_NAME,
            last_name=domain[: MAX_NAMES_TOGETHER - len(REQUESTER_FIRST_NAME)] or "unknown",
            common_name=f"{REQUESTER_FIRST_NAME} {domain}"[:MAX_NAMES_TOGETHER],
        )
        try:
            return await self.create(uow, person, principal=principal, created_via=created_via)
        except PersonEmailTaken:
            # Two first requests at once: the other one made the person.
            other = await self.find(uow.session, organization_id, email)
            if other is None:
                raise
            return other

    async def update(
        self, uow: UnitOfWork, person_id: int, *, changes: dict[str, Any], principal: Principal
    ) -> PersonRecord:
        """Change a person; raises as :meth:`create` and :meth:`get` do.

        The event says by ``identity_changed`` whether something changed that their certificates say.
        """
        before = await self.get(uow.session, person_id)
        known = {
            item.name: getattr(before, item.name)
            for item in fields(PersonFields)
            if item.name not in {"secret_id", "domain"}
        }
        person = PersonFields(**known | _following(before, changes) | changes)
        checked = await self._checked(uow.session, person)
        values = checked.values | {"changed_at": uow.now}
        if checked.secret_id is not None:
            values["secret_id_hash"] = (
                await self._secrets.hash(checked.secret_id) if checked.secret_id else None
            )
        try:
            async with uow.savepoint():
                await uow.session.execute(update(Person).where(Person.id == person_id).values(**values))
        except IntegrityError as fault:
            raise _taken(person) from fault
        after = await self.get(uow.session, person_id)
        await self._note_change(
            uow, before, after, principal=principal, secret_changed=checked.secret_id is not None
        )
        return after

    async def _note_change(
        self,
        uow: UnitOfWork,
        before: PersonRecord,
        after: PersonRecord,
        *,
        principal: Principal,
        secret_changed: bool,
    ) -> None:
        old, new = asdict(before), asdict(after)
        details: dict[str, Any] = {
            name: {"before": old[name], "after": new[name]}
            for name in new
            if name != "changed_at" and old[name] != new[name]
        }
        if secret_changed:
            # Not which one: the log is read by many.
            details |= {"secret_id": {"after": "another one"}}
        if details:
            identity_changed = any(name in details for name in _IDENTITY)
            await _note(
                uow,
                "PersonChanged",
                after,
                principal=principal,
                details=details,
                data={"identity_changed": identity_changed},
            )

    async def delete(self, uow: UnitOfWork, person_id: int, *, principal: Principal) -> None:
        """Delete a person; raise PersonNotFound. The event lets their client certificates be revoked."""
        record = await self.get(uow.session, person_id)
        await uow.session.execute(delete(Person).where(Person.id == person_id))
        details = {"email": record.email, "common_name": record.common_name}
        await _note(uow, "PersonDeleted", record, principal=principal, details=details)

    async def secret_id_fits(
        self, session: AsyncSession, organization_id: int, email: str, secret_id: str
    ) -> bool:
        """Tell whether somebody knows a person's secret id; takes as long when there is no such person."""
        statement = select(Person.secret_id_hash).where(
            Person.organization_id == organization_id, Person.email_key == normalized(email).lower()
        )
        return await self._secrets.verify((await session.execute(statement)).scalar_one_or_none(), secret_id)

    async def _checked(self, session: AsyncSession, person: PersonFields) -> _Checked:
        check = await self.check(session, person)
        faults = check_person(check)
        if faults:
            raise InvalidPerson(faults)
        email = normalized(person.email)
        values = {
            "organization_id": person.organization_id,
            "department_id": person.department_id,
            "domain": person.domain.strip().lower() or await _delegated(session, domain_of(email)),
            "email": email,
            "email_key": email.lower(),
            "common_name": full_name(person),
            "first_name": person.first_name.strip(),
            "middle_name": person.middle_name.strip(),
            "last_name": person.last_name.strip(),
            "phone": person.phone.strip(),
            "alternative_emails": [normalized(item) for item in person.alternative_emails],
            "validation_type": person.validation_type,
            "principal_name": principal_name(person, check.settings),
            "eppn": normalized(person.eppn),
        }
        return _Checked(values, person.secret_id)

    async def _delegation(
        self, session: AsyncSession, place: Holder, domains: Sequence[str]
    ) -> dict[str, Finding]:
        # For any type: somebody may ask for SSL certificates only, and which types an address may be
        # certified for is asked when one is requested.
        wrong: dict[str, Finding] = {}
        for domain in domains:
            for certificate_type in _TYPES:
                found = await self._domains.check_names(
                    session, place, [domain], certificate_type=certificate_type
                )
                if not found:
                    wrong.pop(domain, None)
                    break
                wrong.setdefault(domain, found[0])
        return wrong


def _following(before: PersonRecord, changes: dict[str, Any]) -> dict[str, Any]:
    """Return what was made of other fields and so is made anew when those change."""
    following = {}
    if "email" in changes and before.principal_name == before.email:
        following["principal_name"] = ""
    named = before.common_name == f"{before.first_name} {before.last_name}"
    if named and not {"first_name", "last_name"}.isdisjoint(changes):
        following["common_name"] = ""
    return following


async def _active(session: AsyncSession, place: Holder) -> tuple[bool, bool]:
    row = (
        await session.execute(
            select(Organization.status, Department.status)
            .outerjoin(Department, Department.id == place.department_id)
            .where(Organization.id == place.organization_id)
        )
    ).one_or_none()
    if row is None:
        return False, True
    organization, department = row
    return organization == "active", department in {None, "active"}


async def _delegated(session: AsyncSession, domain: str) -> str:
    patterns = covering_patterns(domain)
    rows = await session.execute(
        select(Domain.name).where(
            Domain.name.in_(patterns), Domain.state == DomainState.APPROVED, Domain.active.is_(True)
        )
    )
    found = set(rows.scalars())
    return next((item for item in patterns if item in found), domain)


def search_condition(text: str) -> ColumnElement[bool]:
    """Return the condition that a person's names or addresses contain ``text``."""
    pattern = text.lower()
    return or_(
        Person.email_key.contains(pattern, autoescape=True),
        Person.common_name.icontains(text, autoescape=True),
        Person.last_name.icontains(text, autoescape=True),
        Person.first_name.icontains(text, autoescape=True),
    )


def _record(row: Row[*tuple[Any, ...]]) -> PersonRecord:
    values = row._asdict()
    values["alternative_emails"] = tuple(values["alternative_emails"])
    values["has_secret_id"] = bool(values["has_secret_id"])
    return PersonRecord(**values)


def _taken(person: PersonFields) -> PersonEmailTaken:
    return PersonEmailTaken(
        f"the organization has a person of the address {person.email} already", field="email"
    )


def _told(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value and name != "email_key"}


async def _note(
    uow: UnitOfWork,
    kind: str,
    person: PersonRecord,
    *,
    principal: Principal,
    details: dict[str, Any],
    data: dict[str, Any] | None = None,
) -> None:
    uow.emit(
        Event(
            kind=kind,
            object_type="person",
            object_id=str(person.id),
            organization_id=person.organization_id,
            department_id=person.department_id,
            data={"email": person.email, **(data or {})},
        )
    )
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type="person",
        object_id=str(person.id),
        organization_id=person.organization_id,
        details=details,
    )
