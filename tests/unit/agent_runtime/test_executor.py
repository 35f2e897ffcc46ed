"""Whatever a handler does, its command gets exactly one outcome."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from certwright.agent.v1 import control_pb2

from agents.runtime.commands import Command, DeleteKey, KeyDeleted
from agents.runtime.errors import CommandFailed, KeyNotFound, StateDirectoryUnusable
from agents.runtime.executor import Executor
from agents.runtime.journal import CommandState, Entry, Journal
from agents.runtime.messages import ToHubDone
from agents.runtime.milestones import Milestones
from agents.runtime.uplink import StreamUplink


class Handler:
    def __init__(self, act):
        self.act = act
        self.running = self.most = 0

    async def run(self, body, context):
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.act(context)
        finally:
            self.running -= 1
        return KeyDeleted(key_id=body.key_id)


class Floor:
    """An executor on a real journal, with one handler."""

    def __init__(self, journal, act, concurrency=4):
        self.journal, self.uplink, self.milestones = journal, StreamUplink(), Milestones()
        self.handler = Handler(act)
        self.executor = Executor(
            {"DeleteKey": self.handler},
            journal=journal,
            uplink=self.uplink,
            milestones=self.milestones,
            concurrency=concurrency,
        )

    async def start(self, *, deadline_s=60.0) -> str:
        command_id = str(uuid.uuid4())
        now = datetime.now(UTC)
        deadline = now + timedelta(seconds=deadline_s)
        command = Command(
            command_id=command_id,
            agent_id="a",
            issued_at=now,
            deadline=deadline,
            body=DeleteKey(key_id="k"),
        )
        await self.journal.receive(command_id, envelope=b"", deadline=deadline, now=now)
        await self.journal.accept(command_id)
        self.executor.start(command, Entry(command_id, CommandState.ACCEPTED, b""))
        return command_id

    async def outcome(self, *, times=1):
        await self.milestones.reached("command_finished", times=times)
        dones = [each for each in self.uplink.outgoing.ready() if isinstance(each, ToHubDone)]
        return control_pb2.CommandDone.FromString(dones[-1].done)


@pytest.fixture
async def journal(tmp_path):
    journal = await Journal.open(tmp_path / "journal.db")
    yield journal
    await journal.close()


def raiser(fault):
    async def act(context):
        raise fault

    return act


@pytest.mark.parametrize(
    ("fault", "reason", "retryable"),
    [
        (KeyNotFound("no such key"), "KeyNotFound", False),
        (CommandFailed("Busy", "later", retryable=True), "Busy", True),
        (StateDirectoryUnusable("disk"), "StateDirectoryUnusable", True),
        (TimeoutError("inner"), "Internal", False),
        (ZeroDivisionError("secret detail"), "Internal", False),
    ],
)
async def test_whatever_a_handler_raises_becomes_a_failure(journal, fault, reason, retryable):
    floor = Floor(journal, raiser(fault))
    command_id = await floor.start()

    failure = (await floor.outcome()).failure

    assert (failure.reason, failure.retryable) == (reason, retryable)
    assert "secret detail" not in failure.message
    assert (await journal.entry(command_id)).state is CommandState.DONE
    assert floor.executor.command_ids == ()


async def test_the_end_is_journalled_before_the_hub_is_told(journal):
    floor = Floor(journal, lambda context: asyncio.sleep(0))
    seen = []
    tell = floor.uplink.done

    def done(command_id, data):
        seen.append(journal._database._connection.in_transaction)
        tell(command_id, data)

    floor.uplink.done = done
    command_id = await floor.start()
    outcome = await floor.outcome()

    entry = await journal.entry(command_id)
    assert seen == [False]
    assert control_pb2.CommandDone.FromString(entry.done) == outcome


async def test_only_so_many_run_at_once(journal):
    gate = asyncio.Event()
    floor = Floor(journal, lambda context: gate.wait(), concurrency=2)
    for _ in range(5):
        await floor.start()
    await floor.milestones.reached("command_started", times=2)

    gate.set()
    await floor.outcome(times=5)

    assert floor.handler.most == 2


async def test_a_deadline_counts_while_waiting_for_a_place(journal):
    gate = asyncio.Event()
    floor = Floor(journal, lambda context: gate.wait(), concurrency=1)
    await floor.start()
    await floor.milestones.reached("command_started")

    waiting = await floor.start(deadline_s=0.05)
    outcome = await floor.outcome()

    assert (outcome.command_id, outcome.failure.reason) == (waiting, "Expired")
    gate.set()
    await floor.outcome(times=2)


async def test_a_disk_that_refuses_does_not_keep_the_answer_back(journal, monkeypatch):
    floor = Floor(journal, lambda context: asyncio.sleep(0))

    async def refuse(*_, **__):
        raise StateDirectoryUnusable("disk full")

    monkeypatch.setattr(journal, "finish", refuse)
    await floor.start()

    assert (await floor.outcome()).HasField("result")


async def test_a_second_cancel_does_not_break_off_the_undoing(journal):
    undoing, undone, proceed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def act(context):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            undoing.set()
            await proceed.wait()
            undone.set()
            raise

    floor = Floor(journal, act)
    command_id = await floor.start()
    await floor.milestones.reached("command_started")
    assert floor.executor.cancel(command_id)
    await undoing.wait()

    assert floor.executor.cancel(command_id)
    proceed.set()

    assert (await floor.outcome()).failure.reason == "Cancelled"
    assert undone.is_set()


async def test_what_waits_is_handed_back_at_once_when_the_agent_stops(journal):
    gate = asyncio.Event()
    floor = Floor(journal, lambda context: gate.wait(), concurrency=1)
    running = await floor.start()
    await floor.milestones.reached("command_started")
    waiting = await floor.start()

    stopping = asyncio.create_task(floor.executor.stop(grace_s=10))
    await floor.milestones.reached("command_handed_back")
    gate.set()
    await stopping

    assert (await journal.entry(waiting)).state is CommandState.ACCEPTED
    assert (await journal.entry(running)).state is CommandState.DONE


async def test_stopping_does_not_wait_longer_than_its_grace(journal):
    floor = Floor(journal, lambda context: asyncio.Event().wait())
    command_id = await floor.start()
    await floor.milestones.reached("command_started")

    await floor.executor.stop(grace_s=0.05)

    assert (await journal.entry(command_id)).state is CommandState.RUNNING
    assert floor.executor.command_ids == ()


async def test_progress_is_throttled(journal):
    told = []

    async def act(context):
        for number in range(1000):
            context.progress(number / 1000, "")

    floor = Floor(journal, act)
    floor.uplink.progress = lambda *facts: told.append(facts)
    await floor.start()
    await floor.outcome()

    assert len(told) == 1
