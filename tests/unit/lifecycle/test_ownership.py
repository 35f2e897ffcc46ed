"""Moving certificates between departments and organizations, and deleting those that were found."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from hub.access.models import AuditEntry
from hub.db.errors import NotFound
from hub.http.principal import SYSTEM, Role, RoleGrant
from hub.lifecycle.errors import CertificateNotFound, NotDeletable, RequestRefused
from hub.lifecycle.models import Certificate, CertificateLocation, CertificateNote
from tests.simulators.found_certificates import self_signed
from tests.simulators.hub_world import ADMIN, rao


@pytest.fixture
async def departments(world):
    async with world.db.write() as uow:
        made = []
        for name, domain in (("Sales", "*.sales.example.com"), ("IT", "*.it.example.com")):
            department = await world.organizations.create_department(
                uow, world.organization_id, name, principal=SYSTEM
            )
            await world.organizations.domains.delegate(
                uow,
                organization_id=world.organization_id,
                department_id=department.id,
                name=domain,
                principal=SYSTEM,
            )
            made.append(department.id)
    return made


def drao(organization_id, *department_ids):
    grants = tuple(
        RoleGrant(
            role=Role.DRAO,
            organization_id=organization_id,
            department_id=department_id,
            certificate_types=frozenset({"ssl"}),
        )
        for department_id in department_ids
    )
    return replace(rao(organization_id, "dora"), grants=grants)


async def issue(world, name="www.sales.example.com", **changes):
    request = world.request(common_name=name, names=(), **changes)
    return (await world.lifecycle.request(ADMIN, request)).id


async def move(world, principal, certificate_id, organization_id, department_id=None):
    await world.lifecycle.ownership.move(
        principal, certificate_id, organization_id=organization_id, department_id=department_id
    )
    row = await world.certificate(certificate_id)
    return row.organization_id, row.department_id


async def test_between_an_organization_and_its_departments(world, departments):
    sales, _ = departments
    issued = await issue(world, department_id=sales)
    rita = rao(world.organization_id)
    assert await move(world, rita, issued, world.organization_id) == (world.organization_id, None)
    assert await move(world, rita, issued, world.organization_id, sales) == (world.organization_id, sales)
    kinds = [kind for kind, _ in await world.events()]
    assert kinds.count("CertificateOwnershipChanged") == 2
    ((details,),) = await world.rows(
        select(AuditEntry.details)
        .where(AuditEntry.action == "CertificateOwnershipChanged")
        .order_by(AuditEntry.sequence)
        .limit(1)
    )
    assert details["before"]["department_id"] == sales
    assert details["after"]["department_id"] is None


async def test_names_have_to_be_delegated_to_the_new_owner(world, departments):
    sales, it = departments
    issued = await issue(world, department_id=sales)
    with pytest.raises(RequestRefused) as refused:
        await move(world, ADMIN, issued, world.organization_id, it)
    assert {item.field for item in refused.value.findings} == {"subject_alternative_names"}
    with pytest.raises(RequestRefused):
        await move(world, ADMIN, issued, world.other_organization_id)
    assert (await world.certificate(issued)).department_id == sales


async def test_a_department_administrator_moves_between_their_own_only(world, departments):
    sales, it = departments
    issued = await issue(world, department_id=sales)
    with pytest.raises(RequestRefused, match="no such organization"):
        await move(world, drao(world.organization_id, sales), issued, world.organization_id, it)
    with pytest.raises(RequestRefused, match="no such organization"):
        await move(world, drao(world.organization_id, sales), issued, world.organization_id)
    with pytest.raises(CertificateNotFound):
        await move(world, drao(world.organization_id, it), issued, world.organization_id, it)


async def test_between_organizations_it_takes_a_master(world):
    async with world.db.write() as uow:
        await world.organizations.domains.delegate(
            uow, organization_id=world.other_organization_id, name="*.example.com", principal=SYSTEM
        )
    issued = await issue(world, "www.example.com")
    both = replace(
        rao(world.organization_id),
        grants=(*rao(world.organization_id).grants, *rao(world.other_organization_id).grants),
    )
    with pytest.raises(RequestRefused) as refused:
        await move(world, both, issued, world.other_organization_id)
    assert [item.reason for item in refused.value.findings] == ["OtherOrganization"]
    assert await move(world, ADMIN, issued, world.other_organization_id) == (
        world.other_organization_id,
        None,
    )
    owners = await world.rows(
        select(AuditEntry.organization_id).where(AuditEntry.action == "CertificateOwnershipChanged")
    )
    assert {owner for (owner,) in owners} == {world.organization_id, world.other_organization_id}


async def test_a_request_that_moves_is_checked_and_certified_for_its_new_owner(world, departments):
    from hub.profiles.service import SubjectSource

    sales, it = departments
    async with world.db.write() as uow:
        profile = await world._profile(
            uow, "With departments", subject_policy={"organizational_unit": SubjectSource.ORGANIZATION}
        )
        for department_id in departments:
            await world.organizations.domains.delegate(
                uow,
                organization_id=world.organization_id,
                department_id=department_id,
                name="shared.example.com",
                principal=SYSTEM,
            )
    asked = await issue(world, "shared.example.com", profile_id=profile, department_id=sales)
    assert (await world.certificate(asked)).subject_fields["organizational_unit"] == "Sales"
    await move(world, ADMIN, asked, world.organization_id, it)
    assert (await world.certificate(asked)).subject_fields["organizational_unit"] == "IT"
    with pytest.raises(RequestRefused):
        await move(world, ADMIN, asked, world.other_organization_id)
    with pytest.raises(NotFound):
        await move(world, ADMIN, asked, world.organization_id, 9_999)


async def test_found_certificates_move_without_a_delegation(world):
    external = await self_signed(world, "intranet.local")
    assert await move(world, ADMIN, external, world.other_organization_id) == (
        world.other_organization_id,
        None,
    )
    unmanaged = await self_signed(world, "printer.local", organization_id=None)
    await move(world, ADMIN, unmanaged, world.organization_id)
    assert (await world.certificate(unmanaged)).status == "External"


# ---- deleting


async def test_a_found_certificate_goes_with_everything_that_was_noted_about_it(world):
    external = await self_signed(world, "intranet.local")
    await world.lifecycle.add_note(ADMIN, external, "whose is it?")
    await world.lifecycle.add_location(ADMIN, external, name="rack 7", details="")
    await world.lifecycle.deleting.delete(rao(world.organization_id), external)
    for model in (Certificate, CertificateNote, CertificateLocation):
        ((left,),) = await world.rows(select(func.count()).select_from(model))
        assert left == 0, model
    assert ("CertificateDeleted", str(external)) in await world.events()
    again = await self_signed(world, "intranet.local")
    assert (await world.certificate(again)).status == "External"


async def test_what_was_issued_or_asked_for_here_stays(world):
    issued = await issue(world, "www.example.com")
    asked = await issue(world, "www.example.com", profile_id=world.manual_profile_id)
    for certificate_id in (issued, asked):
        with pytest.raises(NotDeletable):
            await world.lifecycle.deleting.delete(ADMIN, certificate_id)
    external = await self_signed(world, "intranet.local")
    with pytest.raises(CertificateNotFound):
        await world.lifecycle.deleting.delete(rao(world.other_organization_id), external)


async def test_a_successor_that_was_asked_for_goes_on(world):
    from hub.lifecycle.renewal import Renewal
    from tests.simulators.hub_world import csr

    external = await self_signed(world, "www.example.com")
    renewal = Renewal(csr=csr(), profile_id=world.manual_profile_id, term_days=90)
    successor = (await world.lifecycle.renew(ADMIN, external, renewal)).id
    await world.lifecycle.deleting.delete(ADMIN, external)
    await world.lifecycle.approve(ADMIN, successor)
    await world.settle()
    row = await world.certificate(successor)
    assert (row.status, row.renews_id) == ("Issued", None)
