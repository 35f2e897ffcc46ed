from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agents.runtime.errors import SessionViolation
from agents.runtime.messages import (
    AgentFacts,
    ToAgentBatchCommitted,
    ToAgentCancel,
    ToAgentCommand,
    ToAgentConfigure,
    ToAgentDoneCommitted,
    ToAgentHeartbeat,
    ToAgentHello,
    ToAgentIdentity,
    ToAgentRenew,
    ToAgentUnknown,
    ToHubAccepted,
    ToHubBatch,
    ToHubDone,
    ToHubHeartbeat,
    ToHubHello,
    ToHubProgress,
)
from agents.runtime.outgoing import Outgoing
from agents.runtime.session import HELLO_TIMEOUT_S, Session
from agents.runtime.session_states import INPUT_OF, TRANSITIONS, SessionInput, SessionState

WALL = datetime(2026, 1, 1, tzinfo=UTC)
FACTS = AgentFacts(
    kind="pks", version="1", hostname="h", platform="p", capabilities=(), receiver_public_key=b"\x01" * 32
)
HELLO = ToHubHello(facts=FACTS, running_command_ids=(), command_credits=4)


def hub_hello(**changes):
    values = {
        "version": "1",
        "heartbeat_interval_s": 10,
        "heartbeat_timeout_s": 30,
        "now": WALL,
        "capabilities": ("heartbeat",),
    }
    return ToAgentHello(**(values | changes))


MESSAGES = {
    SessionInput.HELLO: hub_hello(),
    SessionInput.COMMAND: ToAgentCommand(b"e", b"s", b"c"),
    SessionInput.CANCEL: ToAgentCancel("c1"),
    SessionInput.BATCH_COMMITTED: ToAgentBatchCommitted("c1", 1),
    SessionInput.DONE_COMMITTED: ToAgentDoneCommitted("c1"),
    SessionInput.RENEW: ToAgentRenew(),
    SessionInput.IDENTITY: ToAgentIdentity(b"c", b"ca"),
    SessionInput.CONFIGURE: ToAgentConfigure("name", 5),
    SessionInput.HEARTBEAT: ToAgentHeartbeat(),
    SessionInput.UNKNOWN: ToAgentUnknown(),
}


def session_in(state: SessionState, outgoing: Outgoing | None = None) -> Session:
    session = Session(HELLO, outgoing or Outgoing(), now=0)
    if state is not SessionState.AWAITING_HELLO:
        session.receive(hub_hello(), now=0)
    if state is SessionState.DRAINING:
        session.drain()
    if state is SessionState.CLOSED:
        session.end("test")
    return session


def test_every_message_of_the_hub_is_an_input_of_the_table():
    assert {INPUT_OF[type(message)] for message in MESSAGES.values()} == set(MESSAGES)
    assert set(MESSAGES) == set(INPUT_OF.values())


@given(state=st.sampled_from(SessionState), given_input=st.sampled_from(sorted(MESSAGES, key=str)))
def test_every_state_and_message_either_has_a_row_or_closes_with_a_typed_error(state, given_input):
    session = session_in(state)
    row = TRANSITIONS.get((state, given_input))

    if row is None:
        with pytest.raises(SessionViolation):
            session.receive(MESSAGES[given_input], now=1)
        assert session.state is SessionState.CLOSED
        assert session.closed_because
    else:
        session.receive(MESSAGES[given_input], now=1)
        assert session.state is row[0]


@given(state=st.sampled_from(SessionState))
def test_our_own_inputs_are_allowed_in_every_state(state):
    for act in (
        lambda session: session.drain(),
        lambda session: session.end("over"),
        lambda session: session.tick(now=10_000, wall=WALL, running=0),
        lambda session: session.post(ToHubAccepted("c1")),
    ):
        act(session_in(state))


def test_hello_goes_first_and_alone_until_the_hub_has_said_hello():
    outgoing = Outgoing()
    outgoing.add_done("c0", b"done")
    session = Session(HELLO, outgoing, now=0)
    session.post(ToHubAccepted("c1"))
    session.post(ToHubProgress("c1", 0.5, "early"))

    assert session.data_to_send() == [HELLO]
    assert session.data_to_send() == []
    session.receive(hub_hello(), now=0)
    assert session.data_to_send() == [ToHubAccepted("c1"), ToHubDone("c0", b"done")]


def test_what_is_uncommitted_is_sent_once_on_each_stream():
    outgoing = Outgoing()
    outgoing.add_batch("c1", 1, b"one")
    outgoing.add_batch("c1", 2, b"two")
    outgoing.add_done("c1", b"done")

    for _ in range(2):
        session = session_in(SessionState.OPEN, outgoing)
        session.data_to_send()
        assert session.data_to_send() == []
        sent = session_in(SessionState.OPEN, outgoing).data_to_send()
        assert sent[1:] == [ToHubBatch("c1", 1, b"one"), ToHubBatch("c1", 2, b"two")]


def test_an_end_waits_for_its_batches():
    outgoing = Outgoing()
    outgoing.add_batch("c1", 1, b"one")
    outgoing.add_done("c1", b"done")
    session = session_in(SessionState.OPEN, outgoing)
    session.data_to_send()

    assert session.receive(ToAgentBatchCommitted("c1", 1), now=1) == [ToAgentBatchCommitted("c1", 1)]
    assert session.data_to_send() == [ToHubDone("c1", b"done")]
    assert session.receive(ToAgentDoneCommitted("c1"), now=1) == [ToAgentDoneCommitted("c1")]
    assert outgoing.is_empty


def test_a_commit_of_what_was_never_sent_is_ignored():
    session = session_in(SessionState.OPEN)

    assert session.receive(ToAgentDoneCommitted("c9"), now=1) == []
    assert session.receive(ToAgentBatchCommitted("c9", 1), now=1) == []


def test_a_repeated_command_makes_its_end_go_out_again():
    outgoing = Outgoing()
    outgoing.add_done("c1", b"done")
    session = session_in(SessionState.OPEN, outgoing)
    session.data_to_send()

    session.send_again("c1")

    assert session.data_to_send() == [ToHubDone("c1", b"done")]


def test_heartbeats_come_at_the_hubs_interval():
    session = session_in(SessionState.OPEN)
    session.data_to_send()
    session.tick(now=9.9, wall=WALL, running=0)
    assert session.data_to_send() == []
    session.tick(now=10, wall=WALL, running=3)
    assert session.data_to_send() == [ToHubHeartbeat(WALL, 3)]
    assert session.next_tick() == 20


def test_an_administrator_may_change_the_interval():
    session = session_in(SessionState.OPEN)

    session.receive(ToAgentConfigure("n", 2), now=1)

    assert session.next_tick() == 3


def test_a_silent_hub_is_given_up():
    session = session_in(SessionState.OPEN)
    session.receive(ToAgentHeartbeat(), now=5)

    session.tick(now=34.9, wall=WALL, running=0)
    assert session.state is SessionState.OPEN
    session.tick(now=35, wall=WALL, running=0)
    assert session.state is SessionState.CLOSED
    assert "silent for 30 s" in session.closed_because


def test_silence_means_nothing_from_a_hub_that_does_not_answer_heartbeats():
    session = Session(HELLO, Outgoing(), now=0)
    session.receive(hub_hello(capabilities=()), now=0)

    session.tick(now=10_000, wall=WALL, running=0)

    assert session.state is SessionState.OPEN


def test_a_hub_that_never_says_hello_is_given_up():
    session = Session(HELLO, Outgoing(), now=0)

    session.tick(now=HELLO_TIMEOUT_S, wall=WALL, running=0)

    assert session.state is SessionState.CLOSED


def test_a_draining_agent_takes_no_commands_but_delivers():
    outgoing = Outgoing()
    session = session_in(SessionState.DRAINING, outgoing)
    session.data_to_send()

    assert session.receive(MESSAGES[SessionInput.COMMAND], now=1) == []
    outgoing.add_done("c1", b"done")
    assert session.data_to_send() == [ToHubDone("c1", b"done")]


class Delivery(RuleBasedStateMachine):
    """Streams begin and end at will, the hub commits at will: nothing is lost or reordered."""

    def __init__(self):
        super().__init__()
        self.outgoing = Outgoing()
        self.batches = 0
        self.finished = False
        self.seen: list[int] = []
        self.seen_done = False
        self.committed: set[int] = set()
        self.begin_stream()

    @rule()
    def begin_stream(self):
        self.session = Session(HELLO, self.outgoing, now=0)
        self.session.receive(hub_hello(), now=0)
        self.deliver()

    @rule()
    def produce_batch(self):
        if not self.finished:
            self.batches += 1
            self.outgoing.add_batch("c", self.batches, b"%d" % self.batches)

    @rule()
    def finish(self):
        if not self.finished:
            self.finished = True
            self.outgoing.add_done("c", b"done")

    @rule()
    def deliver(self):
        for message in self.session.data_to_send():
            if isinstance(message, ToHubBatch):
                assert message.finds == b"%d" % message.sequence
                self.seen.append(message.sequence)
            if isinstance(message, ToHubDone):
                assert self.committed == set(range(1, self.batches + 1))
                self.seen_done = True

    @rule(data=st.data())
    def commit(self, data):
        open_batches = sorted(set(self.seen) - self.committed)
        if open_batches:
            sequence = data.draw(st.sampled_from(open_batches))
            self.committed.add(sequence)
            self.session.receive(ToAgentBatchCommitted("c", sequence), now=0)

    @invariant()
    def first_deliveries_are_in_order(self):
        first = list(dict.fromkeys(self.seen))
        assert first == sorted(first)

    def teardown(self):
        self.begin_stream()
        for sequence in sorted(set(self.seen) - self.committed):
            self.committed.add(sequence)
            self.session.receive(ToAgentBatchCommitted("c", sequence), now=0)
        self.deliver()
        assert self.committed == set(range(1, self.batches + 1))
        assert self.seen_done == self.finished


TestDelivery = Delivery.TestCase
