"""Commands over a real stream: once and only once, whatever happens to stream, hub and agent in between."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from certwright.agent.v1 import commands_pb2, control_pb2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agents.runtime.default_policy import default_policy
from agents.runtime.journal import Journal
from agents.runtime.state_dir import write_file
from tests.integration.agent.conftest import ResumableWork, kind_of
from tests.integration.agent.fake_hub import envelope


def discover(agent_id, **options):
    body = commands_pb2.DiscoverNetwork(ranges=[commands_pb2.ScanRange(target="127.0.0.1")])
    return envelope(agent_id, discover_network=body, **options)


async def test_hello_then_command_accepted_progress_done(bench, hub, work):
    await bench.enroll()
    await bench.start()
    stream = await hub.connected()
    work.permit.set()

    done = await hub.done(hub.command(discover(bench.agent_id)))

    assert done.result.network_discovered.targets == 1
    kinds = [message.WhichOneof("body") for message in stream.received]
    assert kinds[0] == "hello"
    wanted = ("accepted", "progress", "done")
    assert [kind for kind in kinds if kind in wanted] == list(wanted)
    assert hub.messages("hello")[0].command_credits == 32


async def test_a_repeated_command_is_answered_and_not_done_twice(bench, hub, work):
    await bench.enroll()
    await bench.start()
    await hub.connected()
    work.permit.set()
    command = discover(bench.agent_id)
    first = await hub.done(hub.command(command))

    hub.command(command)
    second = await hub.done(command.command_id, times=2)

    assert second == first
    assert work.started == [command.command_id]


async def test_a_command_repeated_while_it_runs_is_accepted_again_and_not_started_twice(bench, hub, work):
    await bench.enroll()
    await bench.start()
    await hub.connected()
    command = discover(bench.agent_id)
    hub.command(command)
    await hub.until(lambda: hub.messages("progress"))

    hub.command(command)
    await hub.until(lambda: len(hub.messages("accepted")) == 2)
    work.permit.set()
    await hub.done(command.command_id)

    assert work.started == [command.command_id]


async def test_a_result_is_sent_again_until_the_hub_has_committed_it(bench, hub, work):
    hub.behaviour.commit_dones = False
    await bench.enroll()
    await bench.start()
    await hub.connected()
    work.permit.set()
    command_id = hub.command(discover(bench.agent_id))
    await hub.done(command_id)

    hub.cut()
    await hub.done(command_id, times=2)
    hub.behaviour.commit_dones = True
    hub.cut()
    await hub.done(command_id, times=3)
    hub.cut()
    fourth = await hub.connected(times=4)

    await hub.until(lambda: hub.messages("heartbeat", fourth))
    assert hub.messages("done", fourth) == []
    assert work.started == [command_id]


async def test_a_result_survives_the_agents_death(bench, hub, work):
    hub.behaviour.commit_dones = False
    await bench.enroll()
    await bench.start()
    await hub.connected()
    work.permit.set()
    command_id = hub.command(discover(bench.agent_id))
    await hub.done(command_id)
    await bench.kill()

    hub.behaviour.commit_dones = True
    await bench.start()
    await hub.done(command_id, times=2)

    assert work.started == [command_id]


async def test_work_goes_on_while_the_network_is_cut(bench, hub, cable, work):
    await bench.enroll(control_port=cable.port)
    agent = await bench.start()
    await hub.connected()
    command_id = hub.command(discover(bench.agent_id))
    await hub.until(lambda: hub.messages("progress"))

    cable.cut()
    work.permit.set()
    cut = await agent.milestones.reached("disconnected")
    assert "silent for 2 s" in cut.facts["message"]
    cable.mend()
    done = await hub.done(command_id)

    assert done.result.network_discovered.targets == 1
    assert work.started == [command_id]


async def test_hello_after_a_cut_names_what_still_runs(bench, hub, work):
    await bench.enroll()
    await bench.start()
    await hub.connected()
    command_id = hub.command(discover(bench.agent_id))
    await hub.until(lambda: hub.messages("progress"))

    hub.cut()
    await hub.connected(times=2)

    hello = hub.messages("hello")[1]
    assert list(hello.running_command_ids) == [command_id]
    assert hello.command_credits == 31


async def test_a_hub_restart_is_survived(bench, hub, work):
    await bench.enroll()
    await bench.start()
    await hub.connected()

    await hub.stop()
    await hub.start()
    await hub.connected(times=2)
    work.permit.set()

    assert (await hub.done(hub.command(discover(bench.agent_id)))).HasField("result")


async def test_cancel_ends_a_command_within_a_second(bench, hub, work):
    await bench.enroll()
    await bench.start()
    await hub.connected()
    command_id = hub.command(discover(bench.agent_id))
    await hub.until(lambda: hub.messages("progress"))

    hub.send(control_pb2.HubMessage(cancel=control_pb2.CancelCommand(command_id=command_id)))
    done = await hub.done(command_id, timeout_s=1.0)

    assert done.failure.reason == "Cancelled"


async def test_cancel_before_the_first_step_is_answered_too(bench, hub, work):
    await bench.enroll()
    await bench.start()
    await hub.connected()
    command = discover(bench.agent_id)
    hub.command(command)
    hub.send(control_pb2.HubMessage(cancel=control_pb2.CancelCommand(command_id=command.command_id)))

    assert (await hub.done(command.command_id)).failure.reason == "Cancelled"


async def test_a_deadline_ends_a_command(bench, hub, work):
    await bench.enroll()
    await bench.start()
    await hub.connected()

    done = await hub.done(hub.command(discover(bench.agent_id, deadline_s=0.5)))

    assert done.failure.reason == "Expired"
    assert len(work.started) == 1


async def test_the_local_policy_refuses_whatever_the_hub_signs(bench, hub, work):
    await bench.enroll()
    write_file(bench.directory.policy, b'commands = ["DiscoverServers"]\n')
    await bench.start()
    await hub.connected()

    done = await hub.done(hub.command(discover(bench.agent_id)))

    assert done.failure.reason == "PolicyRefused"
    assert not done.failure.retryable
    assert work.started == []


async def test_a_policy_that_cannot_be_read_refuses_everything_until_it_is_mended(bench, hub, work):
    await bench.enroll()
    await bench.start()
    await hub.connected()
    work.permit.set()
    write_file(bench.directory.policy, b"comands = []\n")
    refused = await hub.done(hub.command(discover(bench.agent_id)))
    write_file(bench.directory.policy, default_policy("network").encode())
    done = await hub.done(hub.command(discover(bench.agent_id)))

    assert refused.failure.reason == "PolicyRefused"
    assert "comands" in refused.failure.message
    assert done.HasField("result")


async def test_a_command_signed_by_somebody_else_is_not_done_and_uses_no_id(bench, hub, work):
    await bench.enroll()
    await bench.start()
    await hub.connected()
    work.permit.set()
    command = discover(bench.agent_id)
    forged = hub.authority.sign(command.SerializeToString(), key=Ed25519PrivateKey.generate())

    hub.send(control_pb2.HubMessage(command=forged))
    refused = await hub.done(command.command_id)
    hub.command(command)
    done = await hub.done(command.command_id, times=2)

    assert refused.failure.reason == "SignatureInvalid"
    assert done.HasField("result")
    assert work.started == [command.command_id]


async def test_batches_wait_for_the_hub(bench, hub, work):
    hub.behaviour.commit_batches = False
    work.batches = 20
    work.permit.set()
    await bench.enroll()
    await bench.start()
    stream = await hub.connected()
    command_id = hub.command(discover(bench.agent_id))
    await hub.until(lambda: len(hub.messages("batch")) == 8)
    await hub.until(lambda: len(hub.messages("heartbeat", stream)) >= 2)
    assert len(hub.messages("batch")) == 8

    hub.behaviour.commit_batches = True
    hub.cut()
    done = await hub.done(command_id)

    assert done.HasField("result")
    assert {batch.sequence for batch in hub.messages("batch")} == set(range(1, 21))
    kinds = [message.WhichOneof("body") for message in hub.streams[-1].received]
    assert "batch" not in kinds[kinds.index("done") :]


async def test_a_killed_agent_answers_for_what_it_cannot_resume(bench, hub, work):
    await bench.enroll()
    await bench.start()
    await hub.connected()
    command_id = hub.command(discover(bench.agent_id))
    await hub.until(lambda: hub.messages("progress"))
    await bench.kill()

    await bench.start()
    done = await hub.done(command_id)

    assert done.failure.reason == "AgentRestarted"
    assert done.failure.retryable


async def test_a_killed_agent_resumes_a_scan_from_its_last_batch(bench, hub):
    work = ResumableWork(batches=3)
    bench.kind = kind_of(work)
    await bench.enroll()
    await bench.start()
    await hub.connected()
    command_id = hub.command(discover(bench.agent_id))
    await hub.until(lambda: len(hub.messages("batch")) == 3)
    await bench.kill()

    work.batches = 0
    work.permit.set()
    await bench.start()
    done = await hub.done(command_id)

    assert done.HasField("result")
    assert [(point.cursor, point.memo) for point in work.resumed] == [(3, "3")]


async def test_a_stopping_agent_hands_back_and_the_next_one_goes_on(bench, hub):
    work = ResumableWork()
    bench.kind = kind_of(work)
    await bench.enroll()
    agent = await bench.start()
    await hub.connected()
    command_id = hub.command(discover(bench.agent_id))
    await hub.until(lambda: hub.messages("progress"))

    await bench.stop()
    assert agent.milestones.count("command_handed_back") == 1
    work.permit.set()
    await bench.start()

    assert (await hub.done(command_id)).HasField("result")


async def test_a_stopping_agent_lets_other_work_finish_and_tells_the_hub(bench, hub, work):
    await bench.enroll()
    agent = await bench.start()
    await hub.connected()
    command_id = hub.command(discover(bench.agent_id))
    await hub.until(lambda: hub.messages("progress"))

    agent.stop()
    asyncio.get_running_loop().call_later(0.1, work.permit.set)
    await bench.stop()

    assert hub.committed[command_id].HasField("result")


async def test_a_full_disk_refuses_commands_and_lets_the_agent_live(bench, hub, work):
    await bench.enroll()
    agent = await bench.start()
    await hub.connected()
    work.permit.set()

    def limit(pages):
        return lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}")

    database = agent._store.journal._database
    await database.call(limit(1))
    big = commands_pb2.DiscoverNetwork(
        ranges=[
            commands_pb2.ScanRange(target=f"10.0.{number // 256}.{number % 256}") for number in range(3000)
        ]
    )
    command = envelope(bench.agent_id, discover_network=big)
    refused = await hub.done(hub.command(command))
    await database.call(limit(100_000))
    done = await hub.done(hub.command(command), times=2)

    assert (refused.failure.reason, refused.failure.retryable) == ("StateDirectoryUnusable", True)
    assert done.HasField("result")
    assert work.started == [command.command_id]


async def test_many_commands_at_once_all_end_and_run_so_many_at_a_time(bench, hub, work):
    await bench.enroll()
    await bench.start()
    await hub.connected()
    commands = [hub.command(discover(bench.agent_id)) for _ in range(30)]
    await hub.until(lambda: len(hub.messages("accepted")) == 30)
    await hub.until(lambda: len(hub.messages("progress")) >= 8)
    assert len(work.started) == 8

    work.permit.set()
    for command_id in commands:
        assert (await hub.done(command_id)).HasField("result")


@pytest.mark.parametrize("accepted", [False, True])
async def test_a_command_that_was_journalled_and_never_begun_is_begun_by_the_next_start(
    bench, hub, work, accepted
):
    await bench.enroll()
    command = discover(bench.agent_id)
    journal = await Journal.open(bench.directory.journal)
    now = datetime.now(UTC)
    deadline = now + timedelta(minutes=5)
    await journal.receive(
        command.command_id, envelope=command.SerializeToString(), deadline=deadline, now=now
    )
    if accepted:
        await journal.accept(command.command_id)
    await journal.close()
    work.permit.set()

    await bench.start()

    assert (await hub.done(command.command_id)).HasField("result")
    assert work.started == [command.command_id]
