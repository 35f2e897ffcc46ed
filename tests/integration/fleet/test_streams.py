import asyncio
from datetime import timedelta

import grpc
import pytest
from certwright.agent.v1 import commands_pb2, control_pb2
from cryptography import x509

from tests.integration.fleet.conftest import FAST, Hub, until
from tests.integration.fleet.fake_agent import csr_of, facts, new_key


async def connected_state(hub: Hub, agent, *, connected: bool):
    return await until(
        lambda: hub.agent(agent.agent_id), lambda row: (row.session_id is not None) is connected
    )


async def test_hello_goes_first_and_tells_the_agent_how_to_behave(hub: Hub):
    agent = await hub.connected()
    hello = agent.hub_hello
    assert (hello.heartbeat_interval_s, hello.heartbeat_timeout_s) == (1, 5)
    assert "heartbeat" in hello.capabilities
    row = await hub.agent(agent.agent_id)
    assert (row.version, row.hostname, row.platform) == ("0.1.0", "web-1", "linux-x86_64")
    assert len(await hub.events("AgentConnected")) == 1


async def test_another_first_message_closes_the_stream(hub: Hub):
    agent = await hub.enrolled()
    await agent.dial()
    await agent.send(heartbeat=control_pb2.Heartbeat())
    end = await agent.ended()
    assert end.code is grpc.StatusCode.INVALID_ARGUMENT
    assert (await hub.agent(agent.agent_id)).session_id is None


async def test_a_second_hello_closes_the_stream(hub: Hub):
    agent = await hub.connected()
    await agent.send(hello=control_pb2.AgentHello(facts=facts(), command_credits=1))
    assert (await agent.ended()).code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_stream_without_hello_is_not_kept(hub: Hub):
    agent = await hub.enrolled()
    await agent.dial()
    assert (await agent.ended()).details.startswith("HelloMissed")


async def test_a_client_without_a_certificate_of_ours_gets_nowhere(hub: Hub):
    agent = await hub.enrolled()
    agent.key, stranger = new_key(), agent.key
    agent.certificate = _self_signed(agent.key, agent.agent_id)
    assert stranger is not agent.key
    await agent.dial()
    assert (await agent.ended()).code is grpc.StatusCode.UNAVAILABLE


def _self_signed(key, name: str) -> bytes:
    from datetime import UTC, datetime

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


async def test_heartbeats_are_answered_and_keep_the_stream(hub: Hub):
    agent = await hub.connected()
    for _ in range(12):
        await agent.send(heartbeat=control_pb2.Heartbeat())
        await agent.expect("heartbeat")
        await asyncio.sleep(0.5)  # longer than the time-out in all: the passing of time is what is tested
    first = (await hub.agent(agent.agent_id)).last_seen_at
    await agent.send(heartbeat=control_pb2.Heartbeat())
    await until(lambda: hub.agent(agent.agent_id), lambda row: row.last_seen_at > first)


async def test_silence_longer_than_the_heartbeat_disconnects_and_the_command_is_sent_again(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent)
    await agent.command()
    # Nothing is read or written from here on, as behind a cut network.
    assert (await agent.ended(timeout_s=15)).details.startswith("HeartbeatMissed")
    await connected_state(hub, agent, connected=False)
    assert (await hub.command(command_id)).state == "queued"
    assert len(await hub.events("AgentDisconnected")) == 1
    await agent.connect()
    assert (await agent.command()).command_id == command_id


async def test_a_lost_connection_puts_what_was_not_accepted_back_into_the_queue(hub: Hub):
    agent = await hub.connected()
    accepted, sent = await hub.enqueue(agent), await hub.enqueue(agent)
    await agent.command()
    await agent.command()
    await agent.accept(accepted)
    await hub.state(accepted, "accepted")
    await agent.close()
    await hub.state(sent, "queued")
    # The agent goes on with what it accepted.
    assert (await hub.command(accepted)).state == "accepted"
    await agent.connect(running=(accepted,))
    assert (await agent.command()).command_id == sent
    await agent.succeed(accepted)
    await agent.expect("done_committed")
    assert (await hub.command(accepted)).state == "successful"


async def test_what_the_agent_names_as_running_is_not_sent_again(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent)
    await agent.command()
    await agent.close()
    await hub.state(command_id, "queued")
    # It had taken it all the same; its acceptance was lost with the connection.
    await agent.connect(running=(command_id,))
    await hub.state(command_id, "accepted")
    other = await hub.enqueue(agent)
    assert (await agent.command()).command_id == other


async def test_an_accepted_command_that_the_agent_does_not_have_is_sent_again(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent)
    await agent.command()
    await agent.accept(command_id)
    await hub.state(command_id, "accepted")
    await agent.close()
    await agent.connect()
    assert (await agent.command()).command_id == command_id


async def test_an_end_that_was_lost_is_repeated_after_the_next_hello(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent)
    await agent.command()
    await agent.accept(command_id)
    await hub.state(command_id, "accepted")
    await agent.close()
    await agent.connect()
    await agent.succeed(command_id)
    await agent.expect("done_committed")
    assert (await hub.command(command_id)).state == "successful"


async def test_a_killed_hub_leaves_a_command_that_the_next_one_sends_again(hubs):
    first = await hubs.start()
    agent = await first.connected()
    command_id = await first.enqueue(agent)
    await agent.command()
    await first.kill()
    assert (await first.command(command_id)).state == "dispatched"
    await agent.close()
    second = await hubs.start()
    await agent.connect(address=second.server.addresses.control)
    assert (await agent.command()).command_id == command_id
    await agent.accept(command_id)
    await agent.succeed(command_id)
    await agent.expect("done_committed")
    assert (await second.command(command_id)).state == "successful"


async def test_streams_of_a_killed_hub_are_found_disconnected(hubs):
    first = await hubs.start()
    agent = await first.connected()
    await first.kill()
    second = await hubs.start()
    assert (await second.agent(agent.agent_id)).session_id is not None
    second.clock.ahead += timedelta(minutes=2)
    await connected_state(second, agent, connected=False)


async def test_a_newer_stream_ends_the_older_one(hub: Hub):
    agent = await hub.connected()
    old_call, old_channel = agent.call, agent.channel
    await agent.connect()
    new_call, agent.call = agent.call, old_call
    assert (await agent.ended()).details.startswith("StreamSuperseded")
    await old_channel.close()
    agent.call = new_call
    command_id = await hub.enqueue(agent)
    assert (await agent.command()).command_id == command_id


async def test_two_hubs_send_one_command_once(hubs):
    one, two = await hubs.start(), await hubs.start()
    agent = await one.connected()
    away = await one.enrolled()
    ids = [await one.enqueue(agent) for _ in range(3)] + [await two.enqueue(agent) for _ in range(3)]
    received = [(await agent.command()).command_id for _ in ids]
    assert sorted(received) == sorted(ids)
    # The agent moves to the other hub: the older stream ends there, and nothing is sent twice.
    for command_id in ids:
        await agent.accept(command_id)
        await one.state(command_id, "accepted")
    old_call, old_channel = agent.call, agent.channel
    await agent.connect(address=two.server.addresses.control, running=tuple(ids))
    new_call, agent.call = agent.call, old_call
    assert (await agent.ended()).details.startswith("StreamSuperseded")
    await old_channel.close()
    agent.call = new_call
    later = await one.enqueue(agent)
    assert (await agent.command()).command_id == later
    assert (await one.command(later)).session_id == (await one.agent(agent.agent_id)).session_id
    assert away.call is None


async def test_removal_cuts_the_stream_at_once_and_fails_its_commands(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent)
    await agent.command()
    async with hub.db.write() as uow:
        await hub.service.remove_agent(uow, agent.agent_id)
    started = asyncio.get_running_loop().time()
    end = await agent.ended(timeout_s=2)
    assert asyncio.get_running_loop().time() - started < 1
    assert (end.code, end.details.partition(":")[0]) == (grpc.StatusCode.PERMISSION_DENIED, "AgentRemoved")
    row = await hub.command(command_id)
    assert (row.state, row.failure_reason) == ("failed", "AgentRemoved")
    await agent.dial()
    await agent.send(hello=control_pb2.AgentHello(facts=facts(), command_credits=1))
    assert (await agent.ended()).code is grpc.StatusCode.PERMISSION_DENIED


async def test_removal_at_another_hub_cuts_the_stream(hubs):
    one, two = await hubs.start(), await hubs.start()
    agent = await one.connected()
    async with two.db.write() as uow:
        await two.service.remove_agent(uow, agent.agent_id)
    assert (await agent.ended()).code is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("report", ["accept", "progress", "batch", "succeed", "fail", "hello"])
async def test_a_report_on_a_command_of_another_agent_is_refused_and_changes_nothing(hub: Hub, report: str):
    victim = await hub.connected()
    intruder = await hub.enrolled(organization_id=2)
    if report != "hello":
        await intruder.connect()
    command_id = await hub.enqueue(victim)
    await victim.command()
    before = await hub.state(command_id, "dispatched")
    match report:
        case "accept":
            await intruder.accept(command_id)
        case "progress":
            await intruder.progress(command_id, 0.5, "mine now")
        case "batch":
            await intruder.batch(command_id, 1, targets_done=1)
        case "succeed":
            await intruder.succeed(command_id)
        case "fail":
            await intruder.fail(command_id, "Broken")
        case "hello":
            await intruder.dial()
            await intruder.send(
                hello=control_pb2.AgentHello(
                    facts=facts(), command_credits=1, running_command_ids=[command_id]
                )
            )
    end = await intruder.ended()
    assert end.code is grpc.StatusCode.PERMISSION_DENIED
    assert end.details.startswith("report_refused")
    after = await hub.command(command_id)
    assert {key: value for key, value in vars(after).items() if not key.startswith("_")} == {
        key: value for key, value in vars(before).items() if not key.startswith("_")
    }
    (event,) = await hub.events("AgentReportRefused")
    assert (event.object_id, event.data["command_id"]) == (intruder.agent_id, command_id)
    # The victim's stream is as it was.
    await victim.accept(command_id)
    await hub.state(command_id, "accepted")


async def test_a_report_on_a_command_that_nobody_knows_is_acknowledged_and_forgotten(hub: Hub):
    agent = await hub.connected()
    await agent.succeed("11111111-1111-4111-8111-111111111111")
    await agent.expect("done_committed")
    await agent.batch("x\x00y", 1, targets_done=1)
    await agent.expect("batch_committed")


async def test_cancelling_a_queued_command_ends_it_at_once(hub: Hub):
    agent = await hub.enrolled()
    command_id = await hub.enqueue(agent)
    await hub.cancel(command_id)
    row = await hub.command(command_id)
    assert (row.state, row.failure_reason) == ("cancelled", "Cancelled")
    assert len(await hub.events("CommandCancelled")) == 1


async def test_cancelling_a_running_command_asks_the_agent(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent)
    await agent.command()
    await agent.accept(command_id)
    await hub.state(command_id, "accepted")
    await hub.cancel(command_id)
    assert (await hub.command(command_id)).state == "cancelling"
    assert (await agent.expect("cancel")).command_id == command_id
    await agent.fail(command_id, "Cancelled")
    await agent.expect("done_committed")
    assert (await hub.command(command_id)).state == "cancelled"


async def test_work_that_was_done_before_the_wish_to_cancel_came_is_done(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent)
    await agent.command()
    await agent.accept(command_id)
    await hub.state(command_id, "accepted")
    await hub.cancel(command_id)
    await agent.succeed(command_id)
    await agent.expect("done_committed")
    assert (await hub.command(command_id)).state == "successful"


async def test_a_wish_to_cancel_reaches_an_agent_that_was_away(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent)
    await agent.command()
    await agent.accept(command_id)
    await hub.state(command_id, "accepted")
    await agent.close()
    await hub.cancel(command_id)
    await agent.connect(running=(command_id,))
    assert (await agent.expect("cancel")).command_id == command_id


async def test_an_agent_that_never_comes_lets_the_command_expire(hubs):
    ends = []

    async def ended(uow, command):
        ends.append((command.id, command.failure.reason))

    hub = await hubs.start(configure=lambda service: service.on_outcome("DeleteKey", ended))
    agent = await hub.enrolled()
    command_id = await hub.enqueue(agent, deadline_s=60)
    hub.clock.ahead += timedelta(seconds=61)
    row = await hub.state(command_id, "expired")
    assert "did not connect" in row.failure_message
    assert ends == [(command_id, "Expired")]


async def test_a_running_command_expires_a_little_after_its_deadline_and_its_late_success_is_told(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent, deadline_s=60)
    await agent.command()
    await agent.accept(command_id)
    await hub.state(command_id, "accepted")
    hub.clock.ahead += timedelta(seconds=61)
    await hub.service.expire_due(hub.clock())
    assert (await hub.command(command_id)).state == "accepted"
    hub.clock.ahead += timedelta(minutes=3)
    await hub.state(command_id, "expired")
    await agent.succeed(command_id)
    await agent.expect("done_committed")
    assert (await hub.command(command_id)).state == "expired"
    assert len(await hub.events("CommandSucceededLate")) == 1


async def test_an_agent_that_gives_up_at_the_deadline_is_believed(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent)
    await agent.command()
    await agent.accept(command_id)
    await agent.fail(command_id, "Expired", message="too late here")
    await agent.expect("done_committed")
    assert (await hub.command(command_id)).state == "expired"


async def test_the_hub_asks_for_renewal_when_two_thirds_of_the_lifetime_are_over(hub: Hub):
    agent = await hub.enrolled()
    hub.clock.ahead += timedelta(days=21)
    await agent.connect()
    await agent.expect("renew_identity")
    key = new_key()
    await agent.send(identity_request=control_pb2.IdentityRequest(csr=csr_of(key)))
    issued = await agent.expect("identity_issued")
    fresh = x509.load_der_x509_certificate(issued.certificate)
    assert fresh.public_key() == key.public_key()
    assert fresh.not_valid_after_utc > hub.clock() + timedelta(days=29)
    assert issued.agent_ca == hub.authority.ca_der


async def test_after_a_renewal_the_old_certificate_counts_until_the_new_one_is_shown(hub: Hub):
    agent = await hub.connected()
    old = agent.certificate
    await agent.send(identity_request=control_pb2.IdentityRequest(csr=csr_of(agent.key)))
    new = (await agent.expect("identity_issued")).certificate
    await agent.close()
    # It died before it could save the new one.
    await agent.connect()
    await agent.expect("renew_identity")
    await agent.close()
    agent.certificate = new
    await agent.connect()
    await agent.close()
    agent.certificate = old
    await agent.dial()
    await agent.send(hello=control_pb2.AgentHello(facts=facts(), command_credits=1))
    assert (await agent.ended()).code is grpc.StatusCode.PERMISSION_DENIED


async def test_a_new_name_reaches_a_connected_agent(hub: Hub):
    agent = await hub.connected()
    async with hub.db.write() as uow:
        await hub.service.rename_agent(uow, agent.agent_id, name="Front door")
    assert (await agent.expect("configure")).name == "Front door"


async def test_the_inventory_is_kept_and_what_is_gone_is_marked_lost(hub: Hub):
    agent = await hub.connected()
    port = commands_pb2.NodePort(
        address="0.0.0.0", port=443, protocol="https", certificate_sha256=b"\x01" * 32
    )
    nodes = [
        commands_pb2.ServerNode(id=each, names=[each], ports=[port], manageable=True) for each in ("a", "b")
    ]
    server = commands_pb2.Server(name="apache", kind="apache", version="2.4", nodes=nodes)
    await agent.send(inventory=commands_pb2.ServerInventory(servers=[server]))
    await until(lambda: hub.events("AgentServersDiscovered"), lambda events: len(events) == 1)
    async with hub.db.read() as session:
        found = await hub.service.find_node(session, agent.agent_id, "apache", "b")
    assert (found.lost, found.node.names, found.node.ports[0].certificate_sha256) == (
        False,
        ("b",),
        b"\x01" * 32,
    )
    del server.nodes[1:]
    command_id = await hub.enqueue(agent, _discover_servers())
    await agent.command()
    await agent.succeed(command_id, server_inventory=commands_pb2.ServerInventory(servers=[server]))
    await agent.expect("done_committed")
    async with hub.db.read() as session:
        assert (await hub.service.find_node(session, agent.agent_id, "apache", "b")).lost
        assert not (await hub.service.find_node(session, agent.agent_id, "apache", "a")).lost


def _discover_servers():
    from hub.fleet.commands import DiscoverServers

    return DiscoverServers()


async def test_a_message_that_is_too_large_ends_the_stream(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent)
    await agent.command()
    await agent.batch(command_id, 1, certificates=[b"\x00" * 5_000_000])
    assert (await agent.ended()).code in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED}
    await connected_state(hub, agent, connected=False)


async def test_stopping_the_hub_ends_streams_and_leaves_nobody_connected(hubs):
    hub = await hubs.start(settings=FAST)
    agent = await hub.connected()
    stopping = asyncio.create_task(hub.server.stop(grace_s=1))
    assert (await agent.ended()).code is grpc.StatusCode.UNAVAILABLE
    await stopping
    assert (await hub.agent(agent.agent_id)).session_id is None
