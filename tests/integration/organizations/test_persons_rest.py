"""Persons over REST: made, found, changed, deleted, and what is refused with which error."""

import asyncio

import pytest
from sqlalchemy import select

from hub.access.models import AuditEntry
from hub.db.outbox import OutboxEvent
from hub.http.principal import SYSTEM
from hub.organizations.models import Person

ADA = {"email": "Ada.Lovelace@Mail.Example.com", "first_name": "Ada", "last_name": "Lovelace"}


def somebody(world, **fields):
    return {"organization_id": world.organization_id, **ADA, **fields}


async def test_a_person_is_made_read_found_and_exported(world, rest):
    made = await rest.post(
        "/persons",
        somebody(
            world,
            middle_name="King",
            phone="+44 20 7946 0018",
            alternative_emails=["ada@example.com"],
            secret_id="analytical",
            validation_type="high",
            eppn="ada@univ.example",
        ),
    )
    assert made["email"] == "Ada.Lovelace@mail.example.com"
    assert (made["common_name"], made["domain"], made["has_secret_id"]) == (
        "Ada Lovelace",
        "*.example.com",
        True,
    )
    assert "analytical" not in str(made)
    assert await rest.get(f"/persons/{made['id']}") == made | {"organization_name": ""}
    listed = (await rest.get("/persons?q=lovel"))["items"]
    assert [(item["organization_name"], item["email"]) for item in listed] == [
        ("Example Ltd", "Ada.Lovelace@mail.example.com")
    ]
    assert (await rest.get("/persons?filter=validation_type:eq:standard"))["total"] == 0
    text = await rest.get("/persons?format=csv&columns=common_name,email,has_secret_id")
    assert text.splitlines() == [
        "Common Name,Email,Secret ID",
        "Ada Lovelace,Ada.Lovelace@mail.example.com,true",
    ]


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"email": "ada"}, {"email": "EmailMalformed"}),
        ({"email": "ada@nowhere.test"}, {"email": "EmailNotDelegated"}),
        ({"email": "ada@www.other.example"}, {"email": "EmailDelegatedElsewhere"}),
        ({"domain": "example.com"}, {"email": "EmailOutsideDomain"}),
        (
            {"alternative_emails": ["ada@nowhere.test"]},
            {"alternative_emails": "EmailNotDelegated"},
        ),
        ({"alternative_emails": ["x@example.com", "X@example.com"]}, {"alternative_emails": "EmailRepeated"}),
        ({"first_name": " ", "last_name": ""}, {"first_name": "NameMissing", "last_name": "NameMissing"}),
        ({"first_name": "A" * 32, "last_name": "B" * 33}, {"last_name": "NamesTooLong"}),
        ({"first_name": "A" * 32, "last_name": "B" * 32}, {"common_name": "CommonNameTooLong"}),
        ({"first_name": "A\u0007"}, {"first_name": "NameMalformed", "common_name": ""}),
        ({"phone": "call me"}, {"phone": "PhoneMalformed"}),
        ({"secret_id": "12345"}, {"secret_id": "SecretIdUnusable"}),
        ({"principal_name": "ada@mail.example.com"}, {"principal_name": "PrincipalNameNotAllowed"}),
        ({"eppn": "ada"}, {"eppn": "EppnMalformed"}),
    ],
)
async def test_every_rule_names_its_field(world, rest, fields, faults):
    code, found = await rest.refusal("POST", "/persons", somebody(world, **fields), status=400)
    assert code == "invalid_person"
    assert found == {name: reason for name, reason in faults.items() if reason}


async def test_an_address_is_one_persons_whatever_its_case(world, rest):
    await rest.post("/persons", somebody(world))
    assert await rest.refusal(
        "POST", "/persons", somebody(world, email="ADA.lovelace@mail.example.com"), status=409
    ) == ("person_email_taken", {"email": ""})


async def test_a_department_needs_the_domain_or_its_organization(world, rest, department):
    delegated = await rest.post(
        "/domains",
        {"organization_id": world.organization_id, "department_id": department, "name": "lab.test"},
    )
    assert delegated["state"] == "approved"
    await rest.post("/persons", somebody(world, department_id=department, email="a@lab.test"))
    await rest.post("/persons", somebody(world, department_id=department, email="b@mail.example.com"))
    assert await rest.refusal("POST", "/persons", somebody(world, email="c@lab.test"), status=400) == (
        "invalid_person",
        {"email": "EmailDelegatedToDepartment"},
    )
    await rest.patch(
        f"/organizations/{world.organization_id}/departments/{department}", {"status": "inactive"}
    )
    assert await rest.refusal(
        "POST", "/persons", somebody(world, department_id=department, email="d@lab.test"), status=400
    ) == ("invalid_person", {"department_id": "DepartmentInactive"})


async def test_a_principal_name_is_the_address_unless_it_may_be_another(world, rest):
    settings = f"/organizations/{world.organization_id}/settings/client"
    await rest.put(settings, {"principal_name_allowed": True})
    made = await rest.post("/persons", somebody(world))
    assert made["principal_name"] == "Ada.Lovelace@mail.example.com"
    path = f"/persons/{made['id']}"
    assert await rest.refusal("PATCH", path, {"principal_name": "ada@corp.test"}, status=400) == (
        "invalid_person",
        {"principal_name": "PrincipalNameNotCustomizable"},
    )
    moved = await rest.patch(path, {"email": "ada@mail.example.com", "last_name": "King"})
    assert (moved["principal_name"], moved["common_name"]) == ("ada@mail.example.com", "Ada King")
    await rest.put(settings, {"principal_name_allowed": True, "principal_name_customizable": True})
    changed = await rest.patch(path, {"principal_name": "ada@corp.test"})
    assert changed["principal_name"] == "ada@corp.test"


async def test_changes_and_deletion_are_told_without_the_secret(world, rest):
    made = await rest.post("/persons", somebody(world))
    path = f"/persons/{made['id']}"
    await rest.patch(path, {"secret_id": "difference engine"})
    await rest.patch(path, {"first_name": "Augusta"})
    await rest.patch(path, {})
    async with world.db.read() as session:
        fits = world.organizations.persons.secret_id_fits
        place = world.organization_id
        assert await fits(session, place, "ADA.lovelace@mail.example.com", "difference engine")
        assert not await fits(session, place, "ada.lovelace@mail.example.com", "other")
        assert not await fits(session, place, "nobody@mail.example.com", "difference engine")
    assert (await rest.patch(path, {"secret_id": ""}))["has_secret_id"] is False
    await rest.delete(path)
    await rest.get(path, expect=404)
    rows = await world.rows(
        select(OutboxEvent.kind, OutboxEvent.data)
        .where(OutboxEvent.object_type == "person")
        .order_by(OutboxEvent.id)
    )
    assert [(row.kind, row.data.get("identity_changed")) for row in rows] == [
        ("PersonCreated", None),
        ("PersonChanged", False),
        ("PersonChanged", True),
        ("PersonChanged", False),
        ("PersonDeleted", None),
    ]
    log = await world.rows(select(AuditEntry.details).where(AuditEntry.object_type == "person"))
    assert "difference engine" not in str(log)


async def test_persons_of_others_do_not_exist(world, rest, department):
    mine = world.organization_id
    whole = await rest.post("/persons", somebody(world))
    drao, stranger = f"drao-{mine}-{department}", f"rao-{world.other_organization_id}"
    for token in (drao, stranger):
        assert (await rest.get("/persons", token=token))["total"] == 0
        for method, body in (("GET", None), ("PATCH", {"phone": "123"}), ("DELETE", None)):
            code, _ = await rest.refusal(method, f"/persons/{whole['id']}", body, status=404, token=token)
            assert code == "person_not_found"
    assert (
        await rest.refusal("POST", "/persons", somebody(world, email="x@example.com"), status=403, token=drao)
    ) == (
        "department_needed",
        {"department_id": ""},
    )
    own = await rest.post(
        "/persons", somebody(world, email="x@example.com", department_id=department), token=drao
    )
    assert [item["id"] for item in (await rest.get("/persons", token=drao))["items"]] == [own["id"]]
    # Nor can somebody be pushed out of sight, or into another department.
    assert (
        await rest.refusal("PATCH", f"/persons/{own['id']}", {"department_id": None}, status=403, token=drao)
    )[0] == "department_needed"


async def test_a_first_request_makes_its_person_once(world, rest):
    async def ask():
        async with world.db.write() as uow:
            return await world.organizations.ensure_person(
                uow, organization_id=world.organization_id, email="new@www.example.com", principal=SYSTEM
            )

    people = await asyncio.gather(*(ask() for _ in range(4)))
    assert {person.id for person in people} == {people[0].id}
    assert (people[0].common_name, people[0].created_via) == (
        "requesterSSL www.example.com",
        "Enrollment Form",
    )
    assert len(await world.rows(select(Person.id))) == 1
