"""Organizations, departments and domains in the database."""

import asyncio

import pytest
from sqlalchemy import select

from hub.access.models import AuditEntry
from hub.db.outbox import OutboxEvent
from hub.http.principal import SYSTEM
from hub.organizations.errors import (
    DepartmentNameTaken,
    DepartmentNotFound,
    DomainAlreadyDelegated,
    DomainNeedsWholeSystem,
    InvalidOrganization,
    OrganizationNameTaken,
    OrganizationNotFound,
)
from hub.organizations.service import OrganizationFields


async def reasons(db, organizations, organization_id, *names):
    async with db.read() as session:
        findings = await organizations.check_names(session, organization_id, names)
    return [finding.reason for finding in findings]


async def test_an_organization_is_found_by_id_and_name(db, organizations, make_organization):
    made = await make_organization("  Example Ltd ", locality="Berlin", country="de")
    async with db.read() as session:
        assert await organizations.get(session, made.id) == made
        assert await organizations.by_name(session, "Example Ltd") == made
        assert await organizations.list(session) == [made]
        assert await organizations.list(session, organization_ids=frozenset({made.id + 1})) == []
    assert (made.country, made.locality, made.status) == ("DE", "Berlin", "active")
    assert len(made.public_id) == 16


async def test_a_name_is_taken_once_and_the_transaction_goes_on(db, organizations, make_organization):
    await make_organization("Example Ltd")
    async with db.write() as uow:
        with pytest.raises(OrganizationNameTaken):
            await organizations.create(uow, OrganizationFields(name="Example Ltd"), principal=SYSTEM)
        other = await organizations.create(uow, OrganizationFields(name="Other"), principal=SYSTEM)
    async with db.read() as session:
        assert (await organizations.get(session, other.id)).name == "Other"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "a" * 65}, "name"),
        ({"country": "Germany"}, "country"),
        ({"country": "D1"}, "country"),
        ({"locality": "Ber\x00lin"}, "locality"),
        ({"postal_code": "1" * 41}, "postal_code"),
    ],
)
async def test_what_no_certificate_could_carry_is_refused_with_its_field(make_organization, fields, field):
    with pytest.raises(InvalidOrganization) as caught:
        await make_organization(**{"name": "Example Ltd"} | fields)
    assert caught.value.field == field


async def test_a_change_is_stored_audited_and_told(db, organizations, make_organization):
    made = await make_organization()
    async with db.write() as uow:
        changed = await organizations.update(
            uow, made.id, changes={"locality": "Köln", "status": "inactive"}, principal=SYSTEM
        )
    assert (changed.locality, changed.status, changed.name) == ("Köln", "inactive", made.name)
    async with db.read() as session:
        events = (await session.execute(select(OutboxEvent.kind, OutboxEvent.organization_id))).all()
        entry = (
            await session.execute(
                select(AuditEntry.details).where(AuditEntry.action == "OrganizationChanged")
            )
        ).scalar_one()
    assert [tuple(row) for row in events] == [
        ("OrganizationCreated", made.id),
        ("OrganizationChanged", made.id),
    ]
    assert entry["locality"] == {"before": "", "after": "Köln"}


async def test_what_is_not_there_is_not_found(db, organizations):
    async with db.write() as uow:
        with pytest.raises(OrganizationNotFound):
            await organizations.get(uow.session, 99)
        with pytest.raises(OrganizationNotFound):
            await organizations.create_department(uow, 99, "IT", principal=SYSTEM)
        with pytest.raises(OrganizationNotFound):
            await organizations.delegate_domain(uow, organization_id=99, name="example.com", principal=SYSTEM)


async def test_departments_belong_to_their_organization(db, organizations, make_organization):
    one, two = await make_organization("One"), await make_organization("Two")
    async with db.write() as uow:
        department = await organizations.create_department(uow, one.id, "IT", principal=SYSTEM)
        with pytest.raises(DepartmentNameTaken):
            await organizations.create_department(uow, one.id, "IT", principal=SYSTEM)
        await organizations.create_department(uow, two.id, "IT", principal=SYSTEM)
        with pytest.raises(DepartmentNotFound):
            await organizations.delegate_domain(
                uow,
                organization_id=two.id,
                department_id=department.id,
                name="example.com",
                principal=SYSTEM,
            )
    async with db.read() as session:
        assert await organizations.departments(session, one.id) == [department]


async def test_names_need_a_delegation(db, organizations, make_organization):
    one, two = await make_organization("One"), await make_organization("Two")
    async with db.write() as uow:
        for organization_id, name in ((one.id, "*.example.com"), (two.id, "*.dev.example.com")):
            await organizations.delegate_domain(
                uow, organization_id=organization_id, name=name, principal=SYSTEM
            )
    assert await reasons(db, organizations, one.id, "www.example.com", "WWW.Example.com") == []
    assert await reasons(db, organizations, one.id, "a.dev.example.com", "example.com") == [
        "NameDelegatedElsewhere",
        "NameNotDelegated",
    ]
    assert await reasons(db, organizations, two.id, "a.dev.example.com") == []


async def test_a_catch_all_covers_what_nobody_holds(db, organizations, make_organization, rao):
    one, two = await make_organization("One"), await make_organization("Two")
    async with db.write() as uow:
        await organizations.delegate_domain(uow, organization_id=one.id, name="*", principal=SYSTEM)
        await organizations.delegate_domain(uow, organization_id=two.id, name="example.com", principal=SYSTEM)
        with pytest.raises(DomainNeedsWholeSystem):
            await organizations.delegate_domain(uow, organization_id=two.id, name="*", principal=rao(two.id))
    assert await reasons(db, organizations, one.id, "localhost", "127.0.0.1", "example.com") == [
        "NameDelegatedElsewhere"
    ]


async def test_a_requested_domain_counts_once_it_is_approved(db, organizations, make_organization, rao):
    made = await make_organization()
    async with db.write() as uow:
        domain = await organizations.delegate_domain(
            uow, organization_id=made.id, name="example.com", principal=rao(made.id)
        )
        with pytest.raises(DomainAlreadyDelegated):
            await organizations.delegate_domain(
                uow, organization_id=made.id, name="EXAMPLE.com", principal=rao(made.id)
            )
    assert (domain.approved, domain.requested_by) == (False, "rae")
    assert await reasons(db, organizations, made.id, "example.com") == ["NameNotDelegated"]
    async with db.write() as uow:
        with pytest.raises(DomainNeedsWholeSystem):
            await organizations.domains.approve(uow, domain.id, principal=rao(made.id))
        await organizations.domains.approve(uow, domain.id, principal=SYSTEM)
    assert await reasons(db, organizations, made.id, "example.com") == []
    async with db.write() as uow:
        await organizations.domains.remove(uow, domain.id, principal=rao(made.id))
    assert await reasons(db, organizations, made.id, "example.com") == ["NameNotDelegated"]


async def test_an_inactive_organization_gets_no_names(db, organizations, make_organization):
    made = await make_organization()
    async with db.write() as uow:
        await organizations.delegate_domain(uow, organization_id=made.id, name="*", principal=SYSTEM)
        await organizations.update(uow, made.id, changes={"status": "inactive"}, principal=SYSTEM)
    assert await reasons(db, organizations, made.id, "www.example.com") == ["OrganizationInactive"]
    assert await reasons(db, organizations, 99, "www.example.com") == ["OrganizationInactive"]


async def test_too_many_names_are_refused_before_they_are_looked_up(db, organizations, make_organization):
    made = await make_organization()
    names = [f"n{number}.example.com" for number in range(1001)]
    assert await reasons(db, organizations, made.id, *names) == ["TooManyNames"]
    assert set(await reasons(db, organizations, made.id, *names[:1000])) == {"NameNotDelegated"}


async def test_of_two_at_once_one_gets_the_name(organizations, make_organization):
    results = await asyncio.gather(
        make_organization("Same"), make_organization("Same"), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == [
        "OrganizationNameTaken",
        "OrganizationRecord",
    ]
