import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.fleet.errors import StreamViolation
from hub.fleet.messages import Accepted, AgentFacts, AgentHello, Heartbeat
from hub.fleet.settings import MAX_CREDITS
from hub.fleet.stream_session import StreamSession, StreamState

FACTS = AgentFacts(
    kind="network",
    version="1",
    hostname="h",
    platform="p",
    capabilities=(),
    receiver_public_key=b"\x00" * 32,
)


def hello(credits_: int) -> AgentHello:
    return AgentHello(facts=FACTS, running_command_ids=(), command_credits=credits_)


@given(st.lists(st.sampled_from([hello(1), Heartbeat(), Accepted("a")]), max_size=8))
def test_hello_is_the_first_message_and_no_other_one_is(messages):
    session = StreamSession()
    for place, message in enumerate(messages):
        fits = isinstance(message, AgentHello) == (place == 0)
        if not fits:
            with pytest.raises(StreamViolation):
                session.receive(message)
            return
        session.receive(message)
    assert session.state is (StreamState.OPEN if messages else StreamState.AWAITING_HELLO)


@given(
    st.integers(0, 2**32 - 1),
    st.frozensets(st.sampled_from("abcdefgh")),
    st.lists(st.tuples(st.booleans(), st.sampled_from("klmnop"))),
)
def test_credits_are_for_commands_beyond_those_that_run(credits_, running, moves):
    session = StreamSession()
    session.receive(hello(credits_))
    session.resume(running)
    out: set[str] = set()
    for is_sent, delivery_id in moves:
        if is_sent and session.room:
            session.sent(delivery_id)
            out.add(delivery_id)
        elif not is_sent:
            session.ended(delivery_id)
            out.discard(delivery_id)
        assert session.room == min(credits_, MAX_CREDITS) - len(out)
        assert session.room >= 0
