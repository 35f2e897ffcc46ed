"""What an organization's settings, departments and delegations mean for a request for a certificate."""

from datetime import timedelta

import pytest

from pki.encodings import csr_pem
from tests.simulators.hub_world import csr


@pytest.fixture
def ask(world, rest):
    def body(**fields):
        return {
            "method": "csr",
            "organization_id": world.organization_id,
            "profile_id": world.profile_id,
            "term_days": 90,
            "csr": csr_pem(csr(fields.pop("name", "www.example.com"))).decode(),
        } | fields

    async def ask(**fields):
        made = await rest.post("/certificates", body(**fields))
        return await world.certificate(made["id"])

    async def refused(**fields):
        code, faults = await rest.refusal("POST", "/certificates", body(**fields), status=422)
        assert code == "request_refused"
        return faults

    ask.refused = refused
    return ask


@pytest.fixture
def set_ssl(world, rest):
    async def set_ssl(department=None, **fields):
        unit = f"/departments/{department}" if department else ""
        await rest.put(f"/organizations/{world.organization_id}{unit}/settings/ssl", fields)

    return set_ssl


async def test_a_type_that_is_switched_off(ask, set_ssl, department):
    await set_ssl(department, enabled=False)
    await ask()
    assert await ask.refused(department_id=department) == {"department_id": "CertificateTypeDisabled"}
    await set_ssl(enabled=False)
    assert await ask.refused() == {"organization_id": "CertificateTypeDisabled"}


async def test_profiles_that_are_not_allowed(world, ask, set_ssl, department):
    await set_ssl(profile_ids=[world.manual_profile_id])
    assert await ask.refused() == {"profile_id": "ProfileNotAllowed"}
    await ask(profile_id=world.manual_profile_id)
    await set_ssl(department, profile_ids=[world.profile_id])
    # A department narrows what its organization allows; here nothing is left.
    for profile_id in (world.profile_id, world.manual_profile_id):
        faults = await ask.refused(profile_id=profile_id, department_id=department)
        assert faults == {"profile_id": "ProfileNotAllowed"}


async def test_an_external_requester_that_is_wanted(ask, set_ssl):
    await set_ssl(external_requester_required=True, external_requester_pattern="*@example.com,boss@*.test")
    wrong = {
        "": "ExternalRequesterMissing",
        "ann": "ExternalRequesterMalformed",
        "ann@elsewhere.test": "ExternalRequesterNotAllowed",
        "ann@example.com, eve@example.org": "ExternalRequesterNotAllowed",
    }
    for text, reason in wrong.items():
        assert await ask.refused(external_requester=text) == {"external_requester": reason}
    row = await ask(external_requester="ann@example.com, boss@a.b.test")
    assert row.external_requester == "ann@example.com, boss@a.b.test"


@pytest.mark.parametrize(
    ("day", "term_days", "end"),
    [
        # 90 days from 25 November 2026 are over on 23 February 2027.
        (15, 90, "2027-02-15T23:59:59"),
        (23, 90, "2027-01-23T23:59:59"),
        (31, 90, "2027-01-31T23:59:59"),
        (30, 365, "2027-10-30T23:59:59"),
    ],
)
async def test_certificates_end_on_the_synchronised_day(world, ask, set_ssl, day, term_days, end):
    await set_ssl(synced_expiry_day=day)
    row = await ask(term_days=term_days)
    assert row.status == "Issued"
    assert row.not_after.isoformat().removesuffix("+00:00") == end


async def test_the_day_counts_when_the_certificate_is_ordered(world, rest, ask, set_ssl):
    row = await ask(profile_id=world.manual_profile_id)
    await set_ssl(synced_expiry_day=1)
    world.clock.forward(days=10)
    await rest.post(f"/certificates/{row.id}/approve", expect=200)
    await world.settle()
    row = await world.certificate(row.id)
    assert row.not_after.isoformat() == "2027-03-01T23:59:59+00:00"
    assert row.not_after - row.not_before <= timedelta(days=90)


async def test_an_inactive_department_gets_no_certificates(world, rest, ask, department):
    path = f"/organizations/{world.organization_id}/departments/{department}"
    await rest.patch(path, {"status": "inactive"})
    assert await ask.refused(department_id=department) == {"department_id": "DepartmentInactive"}
    await rest.patch(path, {"status": "active"})
    assert (await ask(department_id=department)).status == "Issued"


async def test_a_departments_address_is_in_its_certificates(world, rest, ask, department):
    path = f"/organizations/{world.organization_id}/departments/{department}"
    await rest.patch(path, {"locality": "Graz", "country": "AT"})
    row = await ask(department_id=department)
    assert row.subject_fields["locality"] == "Graz"
    assert "state" not in row.subject_fields
    assert (await ask()).subject_fields["locality"] == "Berlin"


async def test_names_are_certified_for_those_who_hold_them(world, rest, ask, department):
    mine, other = world.organization_id, world.other_organization_id

    async def delegate(name, organization_id=mine, **fields):
        body = {"organization_id": organization_id, "name": name, **fields}
        return await rest.post("/domains", body)

    await delegate("*.lab.example.com", department_id=department)
    assert await ask.refused(name="a.lab.example.com") == {
        "subject_alternative_names": "NameDelegatedToDepartment"
    }
    await ask(name="a.lab.example.com", department_id=department)
    # What the whole organization holds serves its departments.
    await ask(name="www.example.com", department_id=department)
    await delegate("client.test", certificate_types=["client"])
    assert await ask.refused(name="client.test") == {"subject_alternative_names": "NameNotDelegated"}
    await delegate("shop.example.com", other)
    assert await ask.refused(name="shop.example.com") == {
        "subject_alternative_names": "NameDelegatedElsewhere"
    }


async def test_a_wildcard_stands_over_nobody_elses_name(world, rest, department):
    mine, other = world.organization_id, world.other_organization_id

    async def reasons(department_id=None):
        async with world.db.read() as session:
            findings = await world.organizations.check_names(
                session, mine, ["*.example.com"], department_id=department_id
            )
        return [(item.reason, item.message) for item in findings]

    assert await reasons() == []
    deep = {"organization_id": other, "name": "a.b.example.com"}
    await rest.post("/domains", deep)
    # A wildcard stands for one label: names two below are not its own.
    assert await reasons() == []
    taken = await rest.post("/domains", {"organization_id": other, "name": "shop.example.com"})
    assert await reasons() == [
        (
            "WildcardCoversOthers",
            "*.example.com would also be valid for shop.example.com, which is delegated to somebody else",
        )
    ]
    # Sharing the name makes the wildcard possible again.
    await rest.post("/domains", {"organization_id": mine, "name": "shop.example.com"})
    assert await reasons() == []
    await rest.delete(f"/domains/{taken['id']}")
    await rest.post(
        "/domains", {"organization_id": mine, "department_id": department, "name": "lab.example.com"}
    )
    assert [reason for reason, _ in await reasons()] == ["WildcardCoversOthers"]
    assert await reasons(department) == []
