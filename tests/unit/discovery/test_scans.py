"""What a scan's reports do to the inventory."""

import hashlib

import pytest
from sqlalchemy import func, select

from hub.discovery.errors import NoScanRunning
from hub.discovery.models import DiscoveredEndpoint, DiscoveryTask, Scan, ScanFind
from hub.discovery.service import TaskFields
from hub.fleet.commands import CommandFailure, NetworkDiscovered, ScanRange
from hub.lifecycle.models import Certificate, CertificateLocation
from tests.simulators.hub_world import ADMIN

DONE = NetworkDiscovered(targets=256, open=2, closed=200, silent=54, certificates=2)


async def run(world, discovery, task, *batches, result=DONE, failure=None):
    scan_id = await discovery.scan(ADMIN, task)
    (command,) = world.fleet.open_commands("DiscoverNetwork")
    for batch in batches:
        await world.fleet.batch(command.id, batch)
    await world.fleet.finish(command.id, result=None if failure else result, failure=failure)
    return await scan(world, scan_id)


async def scan(world, scan_id):
    async with world.db.read() as session:
        return await session.get(Scan, scan_id)


async def count(world, model):
    return (await world.rows(select(func.count()).select_from(model)))[0][0]


async def present(world):
    rows = await world.rows(
        select(Certificate.common_name, CertificateLocation.address, CertificateLocation.present)
        .join(CertificateLocation, CertificateLocation.certificate_id == Certificate.id)
        .order_by(CertificateLocation.address, CertificateLocation.id)
    )
    return [tuple(row) for row in rows]


async def test_unknown_certificates_become_external_ones_of_the_tasks_organization(
    world, discovery, task, finds, certificate
):
    a, b = certificate("a.example"), certificate("b.example")
    finished = await run(world, discovery, task, finds(("10.0.0.1", a), ("10.0.0.2", b), ("10.0.0.3", a)))
    rows = await world.rows(
        select(Certificate.common_name, Certificate.status, Certificate.organization_id).order_by(
            Certificate.common_name
        )
    )
    assert [tuple(row) for row in rows] == [
        ("a.example", "External", world.organization_id),
        ("b.example", "External", world.organization_id),
    ]
    assert (finished.state, finished.certificates_found, finished.certificates_new) == ("Successful", 2, 2)
    assert (finished.endpoints_found, finished.open_ports, finished.closed_ports) == (3, 2, 200)
    assert await present(world) == [
        ("a.example", "10.0.0.1", True),
        ("b.example", "10.0.0.2", True),
        ("a.example", "10.0.0.3", True),
    ]


async def test_a_repeated_batch_is_stored_once(world, discovery, task, finds, certificate):
    batch = finds(("10.0.0.1", certificate("a.example")), ("10.0.0.2", certificate("b.example")))
    finished = await run(world, discovery, task, batch, batch, batch)
    assert (finished.endpoints_found, finished.certificates_new, finished.rotations) == (2, 2, 0)
    assert await count(world, Certificate) == 2
    assert await count(world, ScanFind) == 2
    assert await count(world, DiscoveredEndpoint) == 2
    assert await count(world, CertificateLocation) == 2


async def test_a_certificate_issued_here_stays_managed_and_gets_a_location(world, discovery, task, finds):
    enrolled = await world.lifecycle.request(ADMIN, world.request())
    file = await world.lifecycle.download(ADMIN, enrolled.id, "x509CO")
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    der = x509.load_pem_x509_certificate(file.body).public_bytes(Encoding.DER)
    await run(world, discovery, task, finds(("10.0.0.1", der)))
    row = await world.certificate(enrolled.id)
    assert row.status == "Downloaded"
    assert row.discovered_at is not None
    assert await count(world, Certificate) == 1
    assert await present(world) == [("www.example.com", "10.0.0.1", True)]


async def test_a_place_that_a_covering_scan_no_longer_sees_is_marked_and_kept(
    world, discovery, task, finds, certificate
):
    a, b = certificate("a.example"), certificate("b.example")
    await run(world, discovery, task, finds(("10.0.0.1", a), ("10.0.0.2", b), ("10.9.9.9", b)))
    finished = await run(world, discovery, task, finds(("10.0.0.1", a), carry=False))
    # 10.9.9.9 is outside the task's ranges: not having seen it says nothing.
    assert await present(world) == [
        ("a.example", "10.0.0.1", True),
        ("b.example", "10.0.0.2", False),
        ("b.example", "10.9.9.9", True),
    ]
    assert finished.disappeared == 1
    await run(world, discovery, task, finds(("10.0.0.2", b)))
    assert ("b.example", "10.0.0.2", True) in await present(world)


async def test_a_failed_scan_marks_nothing_as_gone(world, discovery, task, finds, certificate):
    a = certificate("a.example")
    await run(world, discovery, task, finds(("10.0.0.1", a)))
    finished = await run(
        world,
        discovery,
        task,
        failure=CommandFailure(reason="AgentLost", message="the agent went away"),
    )
    assert (finished.state, finished.reason, finished.message) == (
        "Failed",
        "AgentLost",
        "the agent went away",
    )
    assert await present(world) == [("a.example", "10.0.0.1", True)]


async def test_another_certificate_on_a_known_endpoint_is_told(world, discovery, task, finds, certificate):
    old, new = certificate("a.example", serial=1), certificate("a.example", serial=2)
    await run(world, discovery, task, finds(("10.0.0.1", old)))
    finished = await run(world, discovery, task, finds(("10.0.0.1", new)))
    assert finished.rotations == 1
    assert await present(world) == [("a.example", "10.0.0.1", False), ("a.example", "10.0.0.1", True)]
    assert [kind for kind, _ in await world.events()].count("EndpointRotated") == 1
    (row,) = await world.rows(select(DiscoveredEndpoint.fingerprint_sha256, DiscoveredEndpoint.first_seen))
    assert row.fingerprint_sha256 == hashlib.sha256(new).hexdigest()


async def test_an_old_batch_that_comes_again_late_does_not_turn_the_clock_back(
    world, discovery, task, finds, certificate
):
    old, new = certificate("a.example", serial=1), certificate("a.example", serial=2)
    late = finds(("10.0.0.1", old))
    await run(world, discovery, task, finds(("10.0.0.1", new)), late)
    (row,) = await world.rows(select(DiscoveredEndpoint.fingerprint_sha256))
    assert row.fingerprint_sha256 == hashlib.sha256(new).hexdigest()


async def test_an_endpoint_that_stops_speaking_tls_loses_its_certificate(
    world, discovery, task, finds, certificate
):
    await run(world, discovery, task, finds(("10.0.0.1", certificate("a.example"))))
    await run(world, discovery, task, finds(("10.0.0.1", None)))
    assert await present(world) == [("a.example", "10.0.0.1", False)]
    (row,) = await world.rows(select(DiscoveredEndpoint.status, DiscoveredEndpoint.certificate_id))
    assert tuple(row) == ("not_tls", None)


async def test_bytes_that_are_no_certificate_are_kept_with_the_reason(world, discovery, task, finds):
    finished = await run(world, discovery, task, finds(("10.0.0.1", b"\x30\x03not")))
    assert (finished.state, finished.certificates_found) == ("Successful", 0)
    (row,) = await world.rows(select(DiscoveredEndpoint.status, DiscoveredEndpoint.reason))
    assert tuple(row) == ("tls_failed", "CertificateUnreadable")


async def test_starting_a_task_that_is_being_scanned_answers_with_the_running_scan(world, discovery, task):
    first = await discovery.scan(ADMIN, task)
    assert await discovery.scan(ADMIN, task) == first
    assert len(world.fleet.open_commands()) == 1


async def test_progress_is_shown_and_told(world, discovery, task, finds, certificate):
    scan_id = await discovery.scan(ADMIN, task)
    (command,) = world.fleet.open_commands()
    assert (await scan(world, scan_id)).state == "Queued"
    await world.fleet.progress(command.id, 0.25, "64 of 256")
    row = await scan(world, scan_id)
    assert (row.state, row.progress, row.progress_message) == ("In Progress", 0.25, "64 of 256")
    await world.fleet.batch(command.id, finds(("10.0.0.1", certificate("a.example")), done=128, total=256))
    row = await scan(world, scan_id)
    assert (row.progress, row.targets_done, row.certificates_found) == (0.5, 128, 1)
    kinds = [kind for kind, object_id in await world.events() if object_id == str(scan_id)]
    assert kinds.count("ScanProgressed") == 2


async def test_a_canceled_scan_keeps_what_it_found_and_says_so(world, discovery, task, finds, certificate):
    scan_id = await discovery.scan(ADMIN, task)
    (command,) = world.fleet.open_commands()
    await world.fleet.batch(command.id, finds(("10.0.0.1", certificate("a.example"))))
    assert await discovery.cancel(ADMIN, task) == scan_id
    assert command.cancelled
    await world.fleet.finish(
        command.id, failure=CommandFailure(reason="Cancelled", message="canceled by alice")
    )
    assert (await scan(world, scan_id)).state == "Canceled"
    async with world.db.read() as session:
        assert (await session.get(DiscoveryTask, task)).status == "Canceled"
    assert await count(world, Certificate) == 1
    with pytest.raises(NoScanRunning):
        await discovery.cancel(ADMIN, task)


async def test_finds_of_the_last_five_scans_are_kept(world, discovery, task, finds, certificate):
    a = certificate("a.example")
    for _ in range(7):
        await run(world, discovery, task, finds(("10.0.0.1", a)))
    assert await count(world, Scan) == 7
    assert await count(world, ScanFind) == 5


async def test_a_large_batch_costs_a_few_statements(world, discovery, task, certificate, finds):
    from sqlalchemy import event

    pairs = [(f"10.0.{n // 250}.{n % 250}", certificate("a.example", serial=n + 1)) for n in range(1000)]
    batch = finds(*pairs)
    await discovery.scan(ADMIN, task)
    (command,) = world.fleet.open_commands()
    statements = []
    event.listen(
        world.db.engine.sync_engine,
        "before_cursor_execute",
        lambda *arguments: statements.append(arguments[2]),
    )
    await world.fleet.batch(command.id, batch)
    assert await count(world, Certificate) == 1000
    assert len(statements) < 60


async def test_what_nobodys_agent_finds_is_unmanaged_until_it_is_assigned(
    world, discovery, finds, certificate
):
    agent = await world.fleet.enroll("network")
    task = await discovery.create(
        ADMIN, TaskFields(name="shared", agent_id=agent, ranges=(ScanRange(target="10.0.0.0/24"),))
    )
    await run(world, discovery, task, finds(("10.0.0.1", certificate("a.example"))))
    ((certificate_id, status),) = await world.rows(select(Certificate.id, Certificate.status))
    assert status == "Unmanaged"
    await world.lifecycle.ownership.assign(
        ADMIN, certificate_id, organization_id=world.organization_id, department_id=None
    )
    row = await world.certificate(certificate_id)
    assert (row.status, row.organization_id) == ("External", world.organization_id)


async def test_the_same_address_seen_by_two_agents_is_two_endpoints(
    world, discovery, task, finds, certificate
):
    other = await world.fleet.enroll("network", organization_id=world.organization_id)
    second = await discovery.create(
        ADMIN, TaskFields(name="branch", agent_id=other, ranges=(ScanRange(target="10.0.0.0/24"),))
    )
    a, b = certificate("a.example"), certificate("b.example")
    await run(world, discovery, task, finds(("10.0.0.1", a)))
    finished = await run(world, discovery, second, finds(("10.0.0.1", b)))
    assert (finished.rotations, finished.disappeared) == (0, 0)
    assert await count(world, DiscoveredEndpoint) == 2
    assert [row[2] for row in await present(world)] == [True, True]


async def test_a_chain_carried_in_an_earlier_batch_is_found_again(world, discovery, task, finds, certificate):
    a = certificate("a.example")
    finished = await run(world, discovery, task, finds(("10.0.0.1", a)), finds(("10.0.0.2", a), carry=False))
    assert (finished.certificates_found, finished.endpoints_found) == (1, 2)
