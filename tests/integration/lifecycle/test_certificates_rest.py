"""Certificates over REST, from request to download, on both databases."""

import csv
import io

import pytest
from cryptography import x509

from tests.simulators.hub_world import csr


def body(world, **changes):
    return {
        "method": "csr",
        "organization_id": world.organization_id,
        "profile_id": world.profile_id,
        "term_days": 90,
        "common_name": "www.example.com",
        "subject_alternative_names": [],
        "csr": pem(),
    } | changes


def pem(name="www.example.com"):
    from pki.encodings import csr_pem

    return csr_pem(csr(name)).decode()


async def test_from_request_to_download(world, rest):
    asked = body(world, profile_id=world.manual_profile_id, comments="for the shop")
    enrolled = await rest.post("/certificates", asked, expect=201)
    assert enrolled["status"] == "Requested"
    path = f"/certificates/{enrolled['id']}"
    waiting = (await rest.get(path))["actions"]
    assert waiting == ["approve", "decline", "edit", "move", "annotate"]
    decided = await rest.post(f"{path}/approve", {"message": "fine"})
    assert decided["status"] == "Approved"
    await world.settle()
    detail = await rest.get(path)
    assert detail["status"] == "Issued"
    assert detail["organization"] == "Example Ltd"
    assert detail["locality"] == "Berlin"
    assert [entry["kind"] for entry in detail["chain_of_trust"]] == ["end entity", "intermediate", "root"]
    assert detail["subject_alternative_names"] == ["www.example.com"]
    assert detail["expires_in_days"] == 89
    kinds = [event["kind"] for event in reversed(detail["events"])]
    assert kinds == [
        "CertificateRequested",
        "CertificateApproved",
        "CertificateApplied",
        "CertificateIssued",
    ]
    file = await rest.get(f"{path}/download?format=x509CO")
    certificate = x509.load_pem_x509_certificate(file.encode())
    assert f"{certificate.serial_number:x}" == detail["serial_number"]
    assert (await rest.get(path))["status"] == "Downloaded"
    revoked = await rest.post(f"{path}/revoke", {"reason": "superseded"})
    assert revoked["status"] == "Revoked"


async def test_everything_wrong_with_a_request_comes_back_a_field_each(world, rest):
    problem = await rest.post(
        "/certificates",
        body(world, csr="hello", term_days=1, common_name="www.elsewhere.example"),
        expect=422,
    )
    assert problem["code"] == "request_refused"
    assert {(item["field"], item["code"]) for item in problem["errors"]} == {
        ("csr", "MalformedCsr"),
        ("term_days", "TermNotOffered"),
        ("subject_alternative_names", "NameNotDelegated"),
    }


async def test_the_list_is_searched_filtered_and_exported(world, rest):
    for name in ("shop.example.com", "mail.example.com"):
        await rest.post("/certificates", body(world, common_name=name, csr=pem(name)), expect=201)
    await rest.post("/certificates", body(world, profile_id=world.manual_profile_id), expect=201)
    everything = await rest.get("/certificates")
    assert everything["total"] == 3
    found = await rest.get("/certificates?q=SHOP.ex")
    assert [item["common_name"] for item in found["items"]] == ["shop.example.com"]
    issued = await rest.get("/certificates?filter=status:eq:Issued&sort=expires")
    assert len(issued["items"]) == 2
    text = await rest.get("/certificates?format=csv&columns=common_name,status,organization,country")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["Common Name", "Status", "Organization", "Country"]
    assert ["shop.example.com", "Issued", "Example Ltd", "DE"] in rows


async def test_lists_and_details_end_at_the_organization(world, rest):
    enrolled = await rest.post("/certificates", body(world), expect=201)
    mine, others = f"rao-{world.organization_id}", f"rao-{world.other_organization_id}"
    assert (await rest.get("/certificates", token=mine))["total"] == 1
    assert (await rest.get("/certificates", token=others))["total"] == 0
    await rest.get(f"/certificates/{enrolled['id']}", token=mine)
    await rest.get(f"/certificates/{enrolled['id']}", token=others, expect=404)
    await rest.post(f"/certificates/{enrolled['id']}/revoke", {}, token=others, expect=404)
    await rest.post("/certificates", body(world), token=others, expect=422)


async def test_what_the_state_does_not_allow_is_a_conflict(world, rest):
    enrolled = await rest.post("/certificates", body(world), expect=201)
    problem = await rest.post(f"/certificates/{enrolled['id']}/approve", {}, expect=409)
    assert problem["code"] == "transition_not_allowed"


async def test_one_action_on_many_certificates_answers_for_each(world, rest):
    ids = [
        (await rest.post("/certificates", body(world, profile_id=profile), expect=201))["id"]
        for profile in (world.manual_profile_id, world.profile_id)
    ]
    results = await rest.post("/certificates/bulk", {"action": "approve", "ids": [*ids, 99]})
    assert [(item["id"], item["done"], item["code"]) for item in results["items"]] == [
        (ids[0], True, ""),
        (ids[1], False, "transition_not_allowed"),
        (99, False, "certificate_not_found"),
    ]


@pytest.mark.parametrize("location", ["pks", "target"])
async def test_a_key_at_an_agent_and_its_installation(world, rest, location):
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    network = await world.fleet.enroll("network", organization_id=world.organization_id, name="web-1")
    world.fleet.add_node(network)
    asked = body(
        world,
        method="auto_install",
        csr=None,
        key_type="EC-P256",
        key_location=location,
        pks_agent_id=pks if location == "pks" else None,
        targets=[{"agent_id": network, "server": "web", "node_id": "a:443"}],
    )
    enrolled = await rest.post("/certificates", asked, expect=201)
    await world.settle()
    path = f"/certificates/{enrolled['id']}"
    assert "install" in (await rest.get(path))["actions"]
    await rest.post(f"{path}/install", expect=202)
    await rest.post(f"{path}/install", expect=409)
    await world.settle()
    detail = await rest.get(path)
    assert detail["install_state"] == "Successful"
    (item,) = detail["items"]
    assert (item["status"], item["agent"]) == ("Installed", "web-1")
    assert item["served_sha256"] == detail["sha256"]
    assert "server_node" in {place["kind"] for place in detail["locations"]}
    assert detail["commands"][0]["kind"] == "GenerateCertificate"
    renewed = await rest.post(f"{path}/renew", {"new_key_pair": False}, expect=201)
    await world.settle()
    successor = await rest.get(f"/certificates/{renewed['id']}")
    assert (successor["status"], successor["renews_id"]) == ("Issued", enrolled["id"])


async def test_notes_and_places_that_people_write_down(world, rest):
    enrolled = await rest.post("/certificates", body(world), expect=201)
    path = f"/certificates/{enrolled['id']}"
    await rest.post(f"{path}/notes", {"text": "asked by the shop team"}, expect=204)
    await rest.post(f"{path}/locations", {"name": "load balancer", "details": "slot 3"}, expect=204)
    detail = await rest.get(path)
    assert [note["text"] for note in detail["notes"]] == ["asked by the shop team"]
    (place,) = detail["locations"]
    assert (place["kind"], place["name"], place["details"]) == ("custom", "load balancer", "slot 3")
    others = f"rao-{world.other_organization_id}"
    await rest.post(f"{path}/notes", {"text": "hello"}, token=others, expect=404)
    await rest.call("DELETE", f"{path}/locations/{place['id']}", expect=204)
    await rest.call("DELETE", f"{path}/locations/{place['id']}", expect=404)
    assert (await rest.get(path))["locations"] == []


async def test_many_at_once_need_the_same_permission_as_one(world, rest):
    enrolled = await rest.post("/certificates", body(world, profile_id=world.manual_profile_id), expect=201)
    many = {"action": "approve", "ids": [enrolled["id"]]}
    await rest.post("/certificates/bulk", many, token="reader", expect=403)
    assert (await rest.get(f"/certificates/{enrolled['id']}", token="reader"))["status"] == "Requested"
