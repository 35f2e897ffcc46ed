import dataclasses
import typing
from datetime import UTC, datetime

import pytest
from certwright.agent.v1 import commands_pb2, control_pb2, enrollment_pb2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hub.db.errors import Malformed
from hub.fleet import commands, wire
from hub.fleet.errors import StreamViolation
from hub.fleet.messages import Batch, Deliver, Done, Heartbeat, Inventory, Progress, Unknown
from pki.signatures import verify_message

TEXT = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=8)
BYTES = st.binary(max_size=8)
TIMES = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def values_of(kind):
    hints = typing.get_type_hints(kind, vars(commands))
    return st.builds(kind, **{field.name: values(hints[field.name]) for field in dataclasses.fields(kind)})


def values(annotation):
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    simple = {str: TEXT, bytes: BYTES, bool: st.booleans(), int: st.integers(0, 2**31), datetime: TIMES}
    if annotation in simple:
        return simple[annotation]
    if origin is tuple:
        return st.lists(values(args[0]), max_size=3).map(tuple)
    if type(None) in args:
        return st.none() | values(args[0])
    return values_of(annotation)


BODIES = st.one_of([values_of(kind) for kind in typing.get_args(commands.CommandBody)])
RESULTS = st.one_of([values_of(kind) for kind in typing.get_args(commands.CommandResult)])


@given(BODIES)
def test_bodies_come_back_as_they_were_stored(body):
    assert wire.body_from_bytes(wire.body_bytes(body)) == body


@given(RESULTS)
def test_results_come_back_as_they_were_stored(result):
    assert wire.result_from_bytes(wire.result_bytes(result)) == result


def test_every_body_has_its_result():
    kinds = {kind.__name__ for kind in typing.get_args(commands.CommandBody)}
    assert set(commands.RESULT_OF) == kinds
    assert set(commands.RESULT_OF.values()) == set(typing.get_args(commands.CommandResult))


@given(BODIES)
def test_the_envelope_carries_body_address_and_dates_and_its_signature_holds(body):
    key = Ed25519PrivateKey.generate()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    command = Deliver(delivery_id="c", agent_id="a", issued_at=now, deadline=now, body=wire.body_bytes(body))
    message = control_pb2.HubMessage.FromString(
        wire.encode_to_agent(command, wire.CommandSigner(key, b"certificate"))
    ).command
    verify_message(
        key.public_key(),
        context=b"certwright-command-v1",
        message=message.envelope,
        signature=message.signature,
    )
    envelope = commands_pb2.CommandEnvelope.FromString(message.envelope)
    assert (envelope.command_id, envelope.agent_id) == ("c", "a")
    assert envelope.deadline.ToDatetime(UTC) == now
    assert wire.body_from_bytes(message.envelope) == body


def read(**body):
    return wire.decode_from_agent(control_pb2.AgentMessage(**body).SerializeToString())


def test_messages_are_read():
    done = control_pb2.CommandDone(
        command_id="c", failure=control_pb2.CommandFailure(reason="", message="a\x00b", retryable=True)
    )
    failure = commands.CommandFailure(reason="Unknown", message="ab", retryable=True)
    assert read(done=done) == Done("c", None, None, failure)
    assert read(heartbeat=control_pb2.Heartbeat()) == Heartbeat()
    assert read(inventory=commands_pb2.ServerInventory()) == Inventory(commands.ServerInventory(servers=()))
    assert isinstance(
        read(batch=control_pb2.ResultBatch(command_id="c", sequence=1, network_finds={})), Batch
    )


@pytest.mark.parametrize(("share", "shown"), [(0.5, 0.5), (7.0, 1.0), (-3.0, -1.0), (float("nan"), -1.0)])
def test_progress_stays_within_its_bounds(share, shown):
    progress = control_pb2.CommandProgress(command_id="c", share=share, message="m")
    assert read(progress=progress) == Progress("c", shown, "m")


@pytest.mark.parametrize(
    "body",
    [
        {"batch": control_pb2.ResultBatch(command_id="c", sequence=1)},
        {"batch": control_pb2.ResultBatch(command_id="c", network_finds={})},
        {"done": control_pb2.CommandDone(command_id="c")},
        {"done": control_pb2.CommandDone(command_id="c", result={})},
        {"hello": control_pb2.AgentHello(facts={"kind": "toaster"})},
        {"hello": control_pb2.AgentHello(facts={"kind": "pks", "receiver_public_key": b"short"})},
        {
            "batch": control_pb2.ResultBatch(
                command_id="c",
                sequence=1,
                network_finds={"endpoints": [{"seen_at": {"seconds": 2**60}}]},
            )
        },
    ],
)
def test_what_breaks_the_protocol_is_a_violation(body):
    assert isinstance(read(**body), StreamViolation)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_violation(data):
    wire.decode_from_agent(data)
    for decode in (wire.decode_enroll, wire.decode_begin_rejoin, wire.decode_complete_rejoin):
        decode(data)


def test_a_message_of_a_later_version_is_not_known():
    assert wire.decode_from_agent(b"\xfa\x01\x02ab") == Unknown()


def test_enrollment_with_impossible_facts_is_malformed():
    request = enrollment_pb2.EnrollRequest(token_secret="s", facts={"kind": "toaster"})
    assert isinstance(wire.decode_enroll(request.SerializeToString()), Malformed)
