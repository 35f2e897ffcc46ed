from certwright.agent.v1 import commands_pb2
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from hub.fleet.commands import DeleteKey, DiscoverNetwork, ScanRange
from pki.oids import COMMAND_SIGNING
from pki.signatures import verify_message
from tests.integration.fleet.conftest import Hub, until

SCAN = DiscoverNetwork(ranges=(ScanRange(target="10.0.0.0/30"),))


async def test_a_command_goes_out_is_accepted_and_ends(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent, DeleteKey(key_id="web"))
    envelope = await agent.command()
    assert (envelope.command_id, envelope.agent_id) == (command_id, agent.agent_id)
    assert envelope.delete_key.key_id == "web"
    await hub.state(command_id, "dispatched")
    await agent.accept(command_id)
    await hub.state(command_id, "accepted")
    await agent.succeed(command_id)
    assert (await agent.expect("done_committed")).command_id == command_id
    # Acknowledged means committed.
    row = await hub.command(command_id)
    assert row.state == "successful"
    assert row.finished_at is not None
    kinds = [
        (await hub.events(kind))[0].data["state"]
        for kind in ("CommandQueued", "CommandStarted", "CommandFinished")
    ]
    assert kinds == ["queued", "accepted", "successful"]


async def test_the_command_is_signed_for_this_agent_by_a_key_that_only_signs_commands(hub: Hub):
    agent = await hub.connected()
    await hub.enqueue(agent)
    signed = await agent.expect("command")
    signer = x509.load_der_x509_certificate(signed.signer_certificate)
    signer.verify_directly_issued_by(x509.load_der_x509_certificate(agent.agent_ca))
    usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [COMMAND_SIGNING]
    assert ExtendedKeyUsageOID.CLIENT_AUTH not in usage
    verify_message(
        signer.public_key(),
        context=b"certwright-command-v1",
        message=signed.envelope,
        signature=signed.signature,
    )


async def test_a_command_for_an_agent_that_is_away_waits_for_it(hub: Hub):
    agent = await hub.enrolled()
    command_id = await hub.enqueue(agent)
    assert (await hub.command(command_id)).state == "queued"
    await agent.connect()
    assert (await agent.command()).command_id == command_id


async def test_no_more_commands_are_sent_than_the_agent_has_credits_for(hub: Hub):
    agent = await hub.connected(credits_=2)
    ids = [await hub.enqueue(agent) for _ in range(4)]
    assert [(await agent.command()).command_id for _ in range(2)] == ids[:2]
    await agent.accept(ids[0])
    await hub.state(ids[0], "accepted")
    assert (await hub.command(ids[2])).state == "queued"
    await agent.succeed(ids[0])
    assert (await agent.command()).command_id == ids[2]
    assert (await hub.command(ids[3])).state == "queued"


async def test_progress_shows_and_the_latest_counts(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent, SCAN)
    await agent.command()
    await agent.accept(command_id)
    for done in range(1, 101):
        await agent.progress(command_id, done / 100, f"{done} of 100 targets")
    row = await until(lambda: hub.command(command_id), lambda row: row.progress_share == 1.0)
    assert row.progress_message == "100 of 100 targets"
    # A hundred reports don't become a hundred events.
    assert 1 <= len(await hub.events("CommandProgressed")) < 50


async def test_a_batch_is_stored_before_it_is_acknowledged_and_only_once(hubs):
    taken = []

    async def take(uow, command, finds):
        taken.append((command.subject_id, finds.targets_done))

    hub = await hubs.start(configure=lambda service: service.on_batch("DiscoverNetwork", take))
    agent = await hub.connected()
    command_id = await hub.enqueue(agent, SCAN)
    await agent.command()
    await agent.accept(command_id)
    for sequence in (1, 1, 2, 1, 2):
        await agent.batch(command_id, sequence, targets_done=sequence)
        committed = await agent.expect("batch_committed")
        assert (committed.command_id, committed.sequence) == (command_id, sequence)
    assert taken == [("1", 1), ("1", 2)]


async def test_a_batch_that_its_room_cannot_take_is_tried_again(hubs):
    tries = []

    async def take(uow, command, finds):
        tries.append(finds.targets_done)
        if len(tries) < 3:
            raise RuntimeError("not now")

    hub = await hubs.start(configure=lambda service: service.on_batch("DiscoverNetwork", take))
    agent = await hub.connected()
    command_id = await hub.enqueue(agent, SCAN)
    await agent.command()
    await agent.accept(command_id)
    await agent.batch(command_id, 1, targets_done=7)
    await agent.expect("batch_committed")
    assert tries == [7, 7, 7]
    assert (await hub.command(command_id)).state == "accepted"


async def test_a_batch_that_can_never_be_stored_fails_the_command_and_not_the_stream(hubs):
    ends = []

    async def take(uow, command, finds):
        raise RuntimeError("never")

    async def ended(uow, command):
        ends.append(command.failure.reason)

    def configure(service):
        service.on_batch("DiscoverNetwork", take)
        service.on_outcome("DiscoverNetwork", ended)

    hub = await hubs.start(configure=configure)
    agent = await hub.connected()
    command_id = await hub.enqueue(agent, SCAN)
    await agent.command()
    await agent.accept(command_id)
    await agent.batch(command_id, 1, targets_done=7)
    assert (await agent.expect("batch_committed")).sequence == 1
    assert (await agent.expect("cancel")).command_id == command_id
    row = await hub.command(command_id)
    assert (row.state, row.failure_reason, ends) == ("failed", "ResultNotStored", ["ResultNotStored"])
    next_id = await hub.enqueue(agent)
    assert (await agent.command()).command_id == next_id


async def test_a_repeated_end_is_acknowledged_and_handled_once(hubs):
    ends = []

    async def ended(uow, command):
        ends.append((command.id, command.body.key_id, command.result.key_id))

    hub = await hubs.start(configure=lambda service: service.on_outcome("DeleteKey", ended))
    agent = await hub.connected()
    command_id = await hub.enqueue(agent, DeleteKey(key_id="web"))
    await agent.command()
    await agent.accept(command_id)
    for _ in range(3):
        await agent.succeed(command_id)
        await agent.expect("done_committed")
    assert ends == [(command_id, "web", "k")]


async def test_an_outcome_that_its_room_cannot_take_is_kept_and_handed_over_again(hubs):
    tries = []

    async def ended(uow, command):
        tries.append(command.result.key_id)
        if len(tries) == 1:
            raise RuntimeError("not now")

    hub = await hubs.start(configure=lambda service: service.on_outcome("DeleteKey", ended))
    agent = await hub.connected()
    command_id = await hub.enqueue(agent)
    await agent.command()
    await agent.succeed(command_id)
    await agent.expect("done_committed")
    row = await hub.command(command_id)
    assert (row.state, row.outcome_state) == ("successful", "pending")
    hub.clock.ahead += (row.outcome_next_at - hub.clock()) * 1.01
    await until(lambda: hub.command(command_id), lambda row: row.outcome_state == "done")
    assert tries == ["k", "k"]


async def test_a_result_of_another_kind_fails_the_command(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent, DeleteKey(key_id="web"))
    await agent.command()
    await agent.succeed(command_id, network_discovered=commands_pb2.NetworkDiscovered(targets=1))
    await agent.expect("done_committed")
    row = await hub.command(command_id)
    assert (row.state, row.failure_reason, row.result) == ("failed", "ResultOfAnotherKind", None)


async def test_a_retryable_failure_is_tried_again_under_a_new_id_with_a_pause(hub: Hub):
    agent = await hub.connected()
    command_id = await hub.enqueue(agent, max_attempts=2)
    first = await agent.command()
    await agent.accept(first.command_id)
    await agent.fail(first.command_id, "Unreachable", retryable=True)
    await agent.expect("done_committed")
    row = await hub.command(command_id)
    assert (row.state, row.attempt) == ("queued", 2)
    assert (row.next_attempt_at - hub.clock()).total_seconds() > 20
    hub.clock.ahead += row.next_attempt_at - hub.clock()
    second = await agent.command()
    # An agent answers a repeated id from its journal.
    assert second.command_id not in {first.command_id, ""}
    await agent.fail(second.command_id, "Unreachable", message="still", retryable=True)
    await agent.expect("done_committed")
    row = await hub.command(command_id)
    assert (row.state, row.failure_reason, row.failure_message) == ("failed", "Unreachable", "still")
    # The end of the first attempt, repeated late, changes nothing.
    await agent.succeed(first.command_id)
    await agent.expect("done_committed")
    assert (await hub.command(command_id)).state == "failed"


async def test_the_same_idempotency_key_is_the_same_command(hub: Hub):
    agent = await hub.connected()
    one = await hub.enqueue(agent, idempotency_key="install:1")
    assert await hub.enqueue(agent, idempotency_key="install:1") == one
    assert (await agent.command()).command_id == one


async def test_a_kind_that_the_agent_lost_fails_and_says_why(hub: Hub):
    from tests.integration.fleet.fake_agent import facts

    agent = await hub.enrolled()
    command_id = await hub.enqueue(agent, SCAN)
    await agent.connect(agent_facts=facts(capabilities=("DeleteKey",)))
    row = await hub.state(command_id, "failed")
    assert row.failure_reason == "NotSupported"
