"""Discovery over REST: tasks that can't be, scans with progress, and the report."""

import csv
import hashlib
import io

import pytest

from hub.fleet.commands import Endpoint, NetworkDiscovered, NetworkFinds


@pytest.fixture
async def agent(world):
    return await world.fleet.enroll("network", organization_id=world.organization_id, name="scanner")


def task(agent, **changes):
    return {
        "name": "office",
        "agent_id": agent,
        "ranges": [{"target": "10.0.0.0/24", "ports": ["443", "8000-8010"]}],
    } | changes


def batch(world, der, *, address="10.0.0.1"):
    endpoint = Endpoint(
        address=address,
        port=443,
        server_name="",
        chain_sha256=(hashlib.sha256(der).digest(),),
        status="ok",
        reason="",
        protocol="TLSv1.3",
        hostname="web.internal",
        seen_at=world.clock(),
        partial=False,
    )
    return NetworkFinds(
        certificates=(der,), endpoints=(endpoint,), cursor=1, targets_done=64, targets_total=256
    )


async def test_a_task_that_can_not_be_scanned_is_refused_field_by_field(world, rest, agent):
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    problem = await rest.post(
        "/discovery/tasks",
        task(
            pks,
            name=" ",
            ranges=[
                {"target": "10.0.0.9-10.0.0.1"},
                {"target": "10.0.0.0/33"},
                {"target": "web_1"},
                {"target": "10.0.0.1", "ports": ["443", "99999"]},
            ],
            exclusions=["example.com"],
        ),
        expect=422,
    )
    assert {(item["field"], item["code"]) for item in problem["errors"]} == {
        ("name", "NameMalformed"),
        ("agent_id", "AgentOfOtherKind"),
        ("ranges.0.target", "RangeBackwards"),
        ("ranges.1.target", "CidrMalformed"),
        ("ranges.2.target", "TargetMalformed"),
        ("ranges.3.ports", "PortsOutOfRange"),
        ("exclusions.0", "ExclusionIsHostName"),
    }


async def test_a_scan_from_start_to_report(world, rest, agent):
    issued = await world.lifecycle.request(_admin(), world.request())
    row = await world.certificate(issued.id)
    from hub.lifecycle.models import CertificateBody

    async with world.db.read() as session:
        der = (await session.get(CertificateBody, row.fingerprint_sha256)).der
    created = await rest.post("/discovery/tasks", task(agent), expect=201)
    assert (created["status"], created["organization_id"]) == ("Not Scanned", world.organization_id)
    path = f"/discovery/tasks/{created['id']}"
    started = await rest.post(f"{path}/scan", expect=202)
    assert await rest.post(f"{path}/scan", expect=202) == started
    await rest.call("DELETE", path, expect=409)
    (command,) = world.fleet.open_commands("DiscoverNetwork")
    assert command.body.ranges[0].ports == ("443", "8000-8010")
    await world.fleet.batch(command.id, batch(world, der))
    scan = await rest.get(f"/discovery/scans/{started['scan_id']}")
    assert (scan["state"], scan["progress"], scan["certificates_found"]) == ("In Progress", 0.25, 1)
    (listed,) = (await rest.get("/discovery/tasks"))["items"]
    assert (listed["agent"], listed["ranges"], listed["progress"]) == (
        "scanner",
        "10.0.0.0/24:443,8000-8010",
        0.25,
    )
    await world.fleet.finish(
        command.id,
        result=NetworkDiscovered(targets=256, open=1, closed=200, silent=55, certificates=1),
    )
    (scan,) = (await rest.get(f"{path}/scans"))["items"]
    assert (scan["state"], scan["certificates_found"], scan["certificates_new"]) == ("Successful", 1, 0)
    (find,) = (await rest.get(f"/discovery/scans/{scan['id']}/finds"))["items"]
    assert (find["inventory"], find["common_name"], find["hostname"]) == (
        "Managed",
        "www.example.com",
        "web.internal",
    )
    text = await rest.get(f"/discovery/scans/{scan['id']}/finds?format=csv")
    header = next(csv.reader(io.StringIO(text)))
    assert header[:10] == [
        "Endpoint ID",
        "IP Address",
        "Port",
        "Server Name",
        "Host Name",
        "Common Name",
        "Valid to",
        "Valid from",
        "Key Algorithm",
        "Key Size",
    ]
    (endpoint,) = (await rest.get("/discovery/endpoints?q=10.0"))["items"]
    assert (endpoint["sha256"], endpoint["present"]) == (row.fingerprint_sha256, True)
    detail = await rest.get(f"/certificates/{issued.id}")
    assert [place["kind"] for place in detail["locations"]] == ["network_host"]
    await rest.call("DELETE", path, expect=204)
    assert (await rest.get("/discovery/tasks"))["total"] == 0


async def test_tasks_and_scans_end_at_the_organization(world, rest, agent):
    created = await rest.post("/discovery/tasks", task(agent), expect=201)
    started = await rest.post(f"/discovery/tasks/{created['id']}/scan", expect=202)
    others = f"rao-{world.other_organization_id}"
    assert (await rest.get("/discovery/tasks", token=others))["total"] == 0
    await rest.post(f"/discovery/tasks/{created['id']}/scan", token=others, expect=404)
    await rest.get(f"/discovery/scans/{started['scan_id']}", token=others, expect=404)
    await rest.get(f"/discovery/scans/{started['scan_id']}/finds", token=others, expect=404)
    problem = await rest.post("/discovery/tasks", task(agent), token=others, expect=422)
    assert problem["errors"][0]["field"] in {"agent_id", "organization_id"}
    mine = f"rao-{world.organization_id}"
    assert (await rest.get("/discovery/tasks", token=mine))["total"] == 1


async def test_changes_of_a_task_leave_the_rest_as_it_was(world, rest, agent):
    created = await rest.post("/discovery/tasks", task(agent, exclusions=["10.0.0.7"]), expect=201)
    path = f"/discovery/tasks/{created['id']}"
    changed = await rest.call("PATCH", path, {"name": "branch"})
    assert (changed["name"], changed["exclusions"]) == ("branch", ["10.0.0.7"])
    assert changed["ranges"] == created["ranges"]
    await rest.call("PATCH", path, {"ranges": []}, expect=422)


def _admin():
    from tests.simulators.hub_world import ADMIN

    return ADMIN


async def test_a_found_certificate_can_only_be_given_to_an_organization_that_is_there(world, rest):
    agent = await world.fleet.enroll("network")
    created = await rest.post("/discovery/tasks", task(agent), expect=201)
    await rest.post(f"/discovery/tasks/{created['id']}/scan", expect=202)
    issued = await world.lifecycle.request(_admin(), world.request())
    (command,) = world.fleet.open_commands("DiscoverNetwork")
    await world.fleet.batch(command.id, batch(world, await issuer_of(world, issued.id)))
    (found,) = (await rest.get("/certificates?filter=status:eq:Unmanaged"))["items"]
    path = f"/certificates/{found['id']}/assign"
    await rest.post(path, {"organization_id": 99}, expect=404)
    await rest.post(path, {"organization_id": world.organization_id, "department_id": 99}, expect=404)
    answer = await rest.post(path, {"organization_id": world.organization_id})
    assert answer["status"] == "External"
    refused = await rest.post(
        f"/certificates/{issued.id}/assign", {"organization_id": world.organization_id}, expect=409
    )
    assert refused["code"] == "transition_not_allowed"


async def issuer_of(world, certificate_id):
    from hub.lifecycle.models import CertificateBody

    row = await world.certificate(certificate_id)
    async with world.db.read() as session:
        return (await session.get(CertificateBody, row.chain[1])).der
