"""Installations that wait for their window, miss it, are hurried; nodes added and taken out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from hub.fleet.commands import CommandFailure, InstallCertificate
from hub.lifecycle.errors import CertificateNotFound, NothingToInstall, RequestRefused
from hub.lifecycle.install_changes import Times
from hub.lifecycle.install_errors import ItemNotFound, NotForInstallation
from hub.lifecycle.install_windows import Closed
from hub.lifecycle.models import InstallItem, LifecycleStep
from hub.lifecycle.requests import Installation, InstallSchedule, KeyLocation, Method, TargetNode
from hub.renewals.planning.install_windows import PlannedInstallWindows
from hub.renewals.planning.models import MaintenanceWindow
from tests.simulators.hub_world import ADMIN, rao

# The world's clock begins on Wednesday, 2026-11-25, at noon.
NIGHTS = InstallSchedule(hour_from=2, hour_to=4)
EXPIRED = CommandFailure(reason="Expired", message="the deadline passed")


@pytest.fixture
async def network(world):
    network = await world.fleet.enroll("network", organization_id=world.organization_id)
    world.fleet.add_node(network)
    world.fleet.add_node(network, node_id="b:443")
    return network


def node(agent_id, node_id="a:443"):
    return TargetNode(agent_id=agent_id, server="web", node_id=node_id)


async def scheduled(world, network, schedule=NIGHTS, **changes):
    request = world.request(
        **{
            "method": Method.AUTO_INSTALL,
            "targets": (node(network),),
            "installation": Installation.SCHEDULED,
            "install_schedule": schedule,
        }
        | changes
    )
    enrolled = await world.lifecycle.request(ADMIN, request)
    await world.settle()
    return enrolled.id


async def state(world, certificate_id):
    return (await world.certificate(certificate_id)).install_state


async def items(world, certificate_id):
    columns = (InstallItem.id, InstallItem.node_id, InstallItem.status, InstallItem.reason)
    statement = select(*columns).where(InstallItem.certificate_id == certificate_id)
    return [tuple(row) for row in await world.rows(statement.order_by(InstallItem.id))]


async def waiting(world):
    statement = select(LifecycleStep.due_at, LifecycleStep.message).where(LifecycleStep.name == "install")
    return [tuple(row) for row in await world.rows(statement)]


def installs(world):
    return world.fleet.open_commands("InstallCertificate")


async def test_it_is_installed_in_its_window_and_not_before(world, network):
    certificate_id = await scheduled(world, network)
    assert await state(world, certificate_id) == "Scheduled"
    assert [row[2] for row in await items(world, certificate_id)] == ["Certificate Saved"]
    [(due_at, message)] = await waiting(world)
    assert due_at == datetime(2026, 11, 26, 2, tzinfo=UTC)
    assert message == "waits for its window, 2026-11-26 02:00 to 2026-11-26 04:00 (UTC)"

    world.clock.now = datetime(2026, 11, 26, 2, 30, tzinfo=UTC)
    await world.run()
    assert await state(world, certificate_id) == "Started"
    [command] = installs(world)
    assert command.deadline_s == 3600
    await world.settle()
    assert await state(world, certificate_id) == "Successful"
    kinds = [kind for kind, _ in await world.events()]
    assert kinds.count("InstallStarted") == kinds.count("InstallFinished") == 1


async def test_a_command_never_outlives_its_window(world, network):
    await scheduled(world, network)
    world.clock.now = datetime(2026, 11, 26, 3, 50, tzinfo=UTC)
    await world.run()
    [command] = installs(world)
    assert 590 <= command.deadline_s <= 600


async def test_a_hub_that_was_away_waits_for_the_next_window(world, network):
    certificate_id = await scheduled(world, network)
    world.clock.now = datetime(2026, 11, 26, 9, tzinfo=UTC)
    await world.reopen()
    await world.settle()
    assert await state(world, certificate_id) == "Scheduled"
    assert [due_at for due_at, _ in await waiting(world)] == [datetime(2026, 11, 27, 2, tzinfo=UTC)]
    # The last seconds of a window are not worth beginning in.
    world.clock.now = datetime(2026, 11, 27, 3, 59, 30, tzinfo=UTC)
    await world.run()
    assert installs(world) == []
    assert [due_at for due_at, _ in await waiting(world)] == [datetime(2026, 11, 28, 2, tzinfo=UTC)]


async def test_an_agent_that_is_away_gets_further_windows_and_then_it_has_failed(world, network):
    certificate_id = await scheduled(world, network)
    for missed in range(1, 5):
        world.clock.now = datetime(2026, 11, 25 + missed, 3, tzinfo=UTC)
        await world.run()
        assert await state(world, certificate_id) == "Started"
        world.clock.now = datetime(2026, 11, 25 + missed, 4, 1, tzinfo=UTC)
        [command] = installs(world)
        await world.fleet.finish(command.id, failure=EXPIRED)
        assert await state(world, certificate_id) == "Scheduled"
        assert [row[2:] for row in await items(world, certificate_id)] == [
            ("Certificate Saved", "WindowMissed")
        ]
        [(due_at, message)] = await waiting(world)
        assert due_at == datetime(2026, 11, 26 + missed, 2, tzinfo=UTC)
        assert f"({missed} of 5)" in message
    world.clock.now = datetime(2026, 11, 30, 3, tzinfo=UTC)
    await world.run()
    [command] = installs(world)
    await world.fleet.finish(command.id, failure=EXPIRED)
    assert await state(world, certificate_id) == "Failed"
    assert [row[2:] for row in await items(world, certificate_id)] == [("Failed", "WindowsMissed")]
    assert [kind for kind, _ in await world.events()].count("InstallPostponed") == 4
    # Somebody may try again, and the count begins anew.
    await world.lifecycle.install(ADMIN, certificate_id)
    await world.settle()
    assert await state(world, certificate_id) == "Successful"


async def test_the_button_minds_no_schedule(world, network):
    certificate_id = await scheduled(world, network)
    await world.lifecycle.install(ADMIN, certificate_id)
    await world.settle()
    assert await state(world, certificate_id) == "Successful"
    assert await waiting(world) == []
    # The next installation does again.
    await world.lifecycle.install_changes.add(ADMIN, certificate_id, [node(network, "b:443")])
    await world.settle()
    assert await state(world, certificate_id) == "Scheduled"


async def test_a_certificate_that_ends_before_its_window_is_warned_of(world, network):
    late = InstallSchedule(not_before=datetime(2027, 6, 1, tzinfo=UTC))
    await scheduled(world, network, late)
    [(_, message)] = await waiting(world)
    assert "Warning: this certificate ends before that, on 2027-02-23" in message


async def test_the_schedule_changes_after_the_issue(world, network):
    certificate_id = await scheduled(world, network)
    evening = InstallSchedule(time_zone="Europe/Berlin", hour_from=20, hour_to=22)
    changes = world.lifecycle.install_changes
    await changes.set_times(
        ADMIN, certificate_id, Times(installation=Installation.SCHEDULED, schedule=evening)
    )
    await world.settle()
    assert [due_at for due_at, _ in await waiting(world)] == [datetime(2026, 11, 25, 19, tzinfo=UTC)]
    await changes.set_times(ADMIN, certificate_id, Times(installation=Installation.TRIGGERED))
    assert await state(world, certificate_id) == "Not Scheduled"
    assert await waiting(world) == []
    await changes.set_times(ADMIN, certificate_id, Times(installation=Installation.IMMEDIATE))
    await world.settle()
    assert await state(world, certificate_id) == "Successful"


async def test_a_schedule_is_refused_with_its_faults_and_for_others_does_not_exist(world, network):
    certificate_id = await scheduled(world, network)
    changes = world.lifecycle.install_changes
    never = Times(installation=Installation.SCHEDULED, schedule=replace(NIGHTS, hour_to=2))
    with pytest.raises(RequestRefused) as refused:
        await changes.set_times(ADMIN, certificate_id, never)
    assert [finding.reason for finding in refused.value.findings] == ["WindowNeverOpens"]
    with pytest.raises(RequestRefused):
        await changes.set_times(ADMIN, certificate_id, Times(installation=Installation.SCHEDULED))
    with pytest.raises(CertificateNotFound):
        await changes.set_times(
            rao(world.organization_id + 1), certificate_id, Times(installation=Installation.IMMEDIATE)
        )


async def test_a_room_that_closes_servers_narrows_the_window(world, network):
    class Freeze:
        async def closed(self, session, agent_id, server, begin, end, *, certificate_id):
            assert (agent_id, server, certificate_id) == (network, "web", 1)
            return [
                Closed(begin=begin, end=datetime(2026, 11, 27, 3, tzinfo=UTC), reason="frozen: Black Friday")
            ]

    world.lifecycle.limit_installs(Freeze())
    certificate_id = await scheduled(world, network)
    [(due_at, message)] = await waiting(world)
    assert due_at == datetime(2026, 11, 27, 3, tzinfo=UTC)
    assert "frozen: Black Friday" in message
    world.clock.now = due_at + timedelta(seconds=1)
    await world.settle()
    assert await state(world, certificate_id) == "Successful"


async def test_the_calendar_closes_servers_and_the_button_minds_it_not(world, network):
    world.lifecycle.limit_installs(PlannedInstallWindows())
    async with world.db.write() as uow:
        times = {"created_at": uow.now, "updated_at": uow.now}
        window = {"name": "Sundays", "weekdays": [6], "opens": 60, "closes": 180, "time_zone": "UTC"}
        elsewhere = {"name": "Mondays", "weekdays": [0], "opens": 60, "closes": 180, "time_zone": "UTC"}
        await uow.session.execute(insert(MaintenanceWindow).values(**window, server_pattern="web", **times))
        await uow.session.execute(
            insert(MaintenanceWindow).values(**elsewhere, server_pattern="mail*", **times)
        )
    certificate_id = await scheduled(
        world, network, None, installation=Installation.IMMEDIATE, install_schedule=None
    )
    [(due_at, message)] = await waiting(world)
    assert due_at == datetime(2026, 11, 29, 1, tzinfo=UTC)
    assert "outside of maintenance: Sundays" in message
    assert await state(world, certificate_id) == "Scheduled"
    world.clock.now = due_at + timedelta(seconds=1)
    await world.run()
    [command] = installs(world)
    assert command.deadline_s == 3600
    # The agent is away until the window is over: there is another one in a week.
    world.clock.now = datetime(2026, 11, 29, 3, tzinfo=UTC)
    await world.fleet.finish(command.id, failure=EXPIRED)
    assert [due_at for due_at, _ in await waiting(world)] == [datetime(2026, 12, 6, 1, tzinfo=UTC)]
    await world.lifecycle.install(ADMIN, certificate_id)
    await world.settle()
    assert await state(world, certificate_id) == "Successful"


async def test_one_agent_in_time_and_one_too_late(world, network):
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    other = await world.fleet.enroll("network", organization_id=world.organization_id)
    world.fleet.add_node(other)
    certificate_id = await scheduled(
        world,
        network,
        targets=(node(network), node(other)),
        key_location=KeyLocation.PKS,
        pks_agent_id=pks,
    )
    world.clock.now = datetime(2026, 11, 26, 3, tzinfo=UTC)
    await world.run()
    by_agent = {command.agent_id: command for command in installs(world)}
    result = world.fleet.perform(by_agent[network])
    await world.fleet.finish(by_agent[network].id, result=result)
    assert await state(world, certificate_id) == "Started"
    world.clock.now = datetime(2026, 11, 26, 4, 1, tzinfo=UTC)
    await world.fleet.finish(by_agent[other].id, failure=EXPIRED)
    assert await state(world, certificate_id) == "Scheduled"
    assert [row[2] for row in await items(world, certificate_id)] == ["Installed", "Certificate Saved"]
    world.clock.now = datetime(2026, 11, 27, 3, tzinfo=UTC)
    await world.settle()
    assert await state(world, certificate_id) == "Successful"


async def test_a_key_in_the_store_is_installed_on_nodes_that_are_added_later(world, network):
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    enrolled = await world.lifecycle.request(ADMIN, world.request(method=Method.PKS, pks_agent_id=pks))
    await world.settle()
    changes = world.lifecycle.install_changes
    with pytest.raises(NothingToInstall):
        await changes.set_times(ADMIN, enrolled.id, Times(installation=Installation.IMMEDIATE))
    await changes.add(ADMIN, enrolled.id, [node(network)], times=Times(installation=Installation.IMMEDIATE))
    await world.settle()
    row = await world.certificate(enrolled.id)
    assert (row.method, row.key_location, row.install_state) == ("auto_install", "pks", "Successful")
    # By hand, the next one.
    await changes.set_times(ADMIN, enrolled.id, Times(installation=Installation.TRIGGERED))
    await changes.add(ADMIN, enrolled.id, [node(network, "b:443")])
    await world.settle()
    # Its agent has the certificate already.
    assert [row[2] for row in await items(world, enrolled.id)] == ["Installed", "Certificate Saved"]
    await world.lifecycle.install(ADMIN, enrolled.id)
    await world.settle()
    assert [row[2] for row in await items(world, enrolled.id)] == ["Installed", "Installed"]
    commands = [each.body for each in world.fleet_state.commands.values()]
    assert len([body for body in commands if isinstance(body, InstallCertificate)]) == 2


async def test_nodes_that_can_not_be_used_are_refused(world, network):
    certificate_id = await scheduled(world, network)
    other = await world.fleet.enroll("network", organization_id=world.organization_id)
    world.fleet.add_node(other)
    changes = world.lifecycle.install_changes

    async def reasons(*targets):
        with pytest.raises(RequestRefused) as refused:
            await changes.add(ADMIN, certificate_id, targets)
        return [finding.reason for finding in refused.value.findings]

    assert await reasons(node(network, "c:443")) == ["NodeUnknown"]
    assert await reasons(node("nobody")) == ["AgentUnknown"]
    assert await reasons(node(other)) == ["KeyAtOtherAgent"]
    own = await world.lifecycle.request(ADMIN, world.request())
    with pytest.raises(NotForInstallation):
        await changes.add(ADMIN, own.id, [node(network)])


async def test_a_node_is_taken_out_and_with_the_last_one_nothing_is_scheduled(world, network):
    certificate_id = await scheduled(world, network, targets=(node(network), node(network, "b:443")))
    first, second = [row[0] for row in await items(world, certificate_id)]
    changes = world.lifecycle.install_changes
    await changes.remove(ADMIN, certificate_id, first)
    assert [row[1] for row in await items(world, certificate_id)] == ["b:443"]
    assert await state(world, certificate_id) == "Scheduled"
    with pytest.raises(ItemNotFound):
        await changes.remove(ADMIN, certificate_id, first)
    await changes.remove(ADMIN, certificate_id, second)
    assert await state(world, certificate_id) == "Not Scheduled"
    assert await waiting(world) == []


async def test_items_of_an_agent_that_is_gone_are_invalid(world, network):
    certificate_id = await scheduled(world, network)
    world.clock.now = datetime(2026, 11, 26, 3, tzinfo=UTC)
    await world.run()
    [command] = installs(world)
    gone = CommandFailure(reason="AgentRemoved", message="the agent web has been removed")
    await world.fleet.finish(command.id, failure=gone)
    assert [row[2:] for row in await items(world, certificate_id)] == [("Invalid", "AgentRemoved")]
    assert await state(world, certificate_id) == "Failed"


async def test_an_agent_that_is_removed_takes_its_items_along_at_once(world, network):
    certificate_id = await scheduled(world, network)
    await world.fleet.remove(network)
    assert [row[2:] for row in await items(world, certificate_id)] == [("Invalid", "AgentRemoved")]
    assert await state(world, certificate_id) == "Failed"
    assert await waiting(world) == []
    kinds = [kind for kind, _ in await world.events()]
    assert kinds.count("InstallItemChanged") == 3
