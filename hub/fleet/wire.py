"""Protobuf messages and the hub's own types; no ``_pb2`` type goes further in than this file.

Bodies and results have the same field names in ``commands.proto`` and in :mod:`hub.fleet.commands`, so one
plan per class (:mod:`hub.fleet.field_plans`) serves both directions.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from certwright.agent.v1 import commands_pb2, control_pb2, enrollment_pb2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import DecodeError, Message

from hub.db.errors import Malformed
from hub.fleet.commands import (
    CommandBody,
    CommandFailure,
    CommandResult,
    ImportKey,
    KeyFileExported,
    NetworkFinds,
    ServerInventory,
)
from hub.fleet.errors import FactsMalformed, StreamViolation
from hub.fleet.field_plans import clean_text, fill, read
from hub.fleet.messages import (
    Accepted,
    AgentFacts,
    AgentHello,
    Batch,
    BatchCommitted,
    BeginRejoinRequest,
    BeginRejoinResponse,
    CancelCommand,
    CompleteRejoinRequest,
    Configure,
    Deliver,
    Done,
    DoneCommitted,
    EnrollRequest,
    EnrollResponse,
    Heartbeat,
    HubHello,
    IdentityIssued,
    IdentityRequest,
    Inventory,
    Progress,
    RenewIdentity,
    ToAgent,
    ToHub,
    Unknown,
)
from pki.signatures import sign_message

DecodedT = TypeVar("DecodedT")
COMMAND_CONTEXT = b"certwright-command-v1"
KINDS = ("network", "pks", "msad")
_RECEIVER_KEY_BYTES = 32
_MAX_CAPABILITIES = 64
_MAX_RUNNING = 1000


def _snake(name: str) -> str:
    return "".join("_" + char.lower() if char.isupper() else char for char in name).lstrip("_")


_BODY_TYPES: dict[str, type] = {_snake(kind.__name__): kind for kind in typing.get_args(CommandBody)}
_RESULT_TYPES: dict[str, type] = {_snake(kind.__name__): kind for kind in typing.get_args(CommandResult)}


def body_bytes(body: CommandBody) -> bytes:
    """Return a serialized envelope that holds nothing but ``body``: what the database stores."""
    envelope = commands_pb2.CommandEnvelope()
    target = getattr(envelope, _snake(type(body).__name__))
    target.SetInParent()
    fill(target, body)
    return envelope.SerializeToString()


def body_from_bytes(data: bytes) -> CommandBody:
    """Read what :func:`body_bytes` wrote."""
    envelope = commands_pb2.CommandEnvelope.FromString(data)
    name = envelope.WhichOneof("body")
    if name is None:
        raise StreamViolation("the stored command has no body")
    body: CommandBody = read(_BODY_TYPES[name], getattr(envelope, name))
    return body


def result_bytes(result: CommandResult) -> bytes:
    """Return the serialized result: what the database stores."""
    message = commands_pb2.CommandResult()
    target = getattr(message, _snake(type(result).__name__))
    target.SetInParent()
    fill(target, result)
    return message.SerializeToString()


def forgotten(body: CommandBody, result: CommandResult) -> dict[str, bytes]:
    """Return the columns of a command that has delivered a sealed key file, now without it.

    Its room has it by then; two copies of what is to be gone soon would be one too many.
    """
    match body, result:
        case _, KeyFileExported():
            return {"result": result_bytes(replace(result, envelope=b""))}
        case ImportKey(), _:
            return {"body": body_bytes(replace(body, envelope=b""))}
        case _:
            return {}


def result_from_bytes(data: bytes) -> CommandResult:
    """Read a stored result.

    Raises:
        StreamViolation: it holds no result that this version knows.
    """
    try:
        return _result(commands_pb2.CommandResult.FromString(data))
    except DecodeError as fault:
        raise StreamViolation("the result can't be read") from fault


def _result(message: commands_pb2.CommandResult) -> CommandResult:
    name = message.WhichOneof("body")
    if name is None:
        raise StreamViolation("the result is empty, or of a kind that is not known")
    result: CommandResult = read(_RESULT_TYPES[name], getattr(message, name))
    return result


# ---- from the agent


def facts_from(message: enrollment_pb2.AgentFacts) -> AgentFacts:
    """Read and check what an agent says about itself.

    Raises:
        FactsMalformed: the kind is not known, or the receiver key is not one.
    """
    if message.kind not in KINDS:
        raise FactsMalformed(f"{message.kind[:32]!r} is not a kind of agent")
    if len(message.receiver_public_key) != _RECEIVER_KEY_BYTES:
        raise FactsMalformed("the receiver public key does not have 32 bytes")
    return AgentFacts(
        kind=message.kind,
        version=clean_text(message.version)[:64],
        hostname=clean_text(message.hostname)[:255],
        platform=clean_text(message.platform)[:64],
        capabilities=tuple(clean_text(item)[:64] for item in message.capabilities[:_MAX_CAPABILITIES]),
        receiver_public_key=message.receiver_public_key,
    )


def _hello(message: control_pb2.AgentHello) -> AgentHello:
    if len(message.running_command_ids) > _MAX_RUNNING:
        raise StreamViolation(f"more than {_MAX_RUNNING} commands at once")
    return AgentHello(
        facts=facts_from(message.facts),
        running_command_ids=tuple(message.running_command_ids),
        command_credits=message.command_credits,
    )


def _progress(message: control_pb2.CommandProgress) -> Progress:
    share = message.share
    if math.isnan(share) or share < 0:
        share = -1.0
    return Progress(message.command_id, min(share, 1.0), clean_text(message.message)[:500])


def _batch(message: control_pb2.ResultBatch) -> Batch:
    if not message.HasField("network_finds") or not 0 < message.sequence < 2**63:
        raise StreamViolation("the batch is empty, of a kind that is not known, or has no sequence")
    return Batch(message.command_id, message.sequence, read(NetworkFinds, message.network_finds))


def _done(message: control_pb2.CommandDone) -> Done:
    match message.WhichOneof("outcome"):
        case "result":
            stored = message.result.SerializeToString()
            return Done(message.command_id, _result(message.result), stored, None)
        case "failure":
            failure = CommandFailure(
                reason=clean_text(message.failure.reason)[:64] or "Unknown",
                message=clean_text(message.failure.message)[:20_000],
                retryable=message.failure.retryable,
            )
            return Done(message.command_id, None, None, failure)
        case _:
            raise StreamViolation("the command's end has neither result nor failure")


_FROM_AGENT: dict[str, Callable[[Any], ToHub]] = {
    "hello": _hello,
    "heartbeat": lambda _message: Heartbeat(),
    "accepted": lambda message: Accepted(message.command_id),
    "progress": _progress,
    "batch": _batch,
    "done": _done,
    "identity_request": lambda message: IdentityRequest(message.csr),
    "inventory": lambda message: Inventory(read(ServerInventory, message)),
}


def from_agent(message: control_pb2.AgentMessage) -> ToHub:
    """Read a message of the stream.

    Raises:
        StreamViolation: it breaks the protocol.
        FactsMalformed: a Hello says what can't be.
    """
    name = message.WhichOneof("body")
    return _FROM_AGENT[name](getattr(message, name)) if name else Unknown()


# ---- to the agent


class CommandSigner:
    """Signs command envelopes with the hub's command signing key."""

    def __init__(self, key: Ed25519PrivateKey, certificate: bytes) -> None:
        self._key = key
        self.certificate = certificate

    def sign(self, command: Deliver) -> control_pb2.HubMessage:
        """Return the message that carries ``command``: bound to its agent, dated, signed."""
        header = commands_pb2.CommandEnvelope(command_id=command.delivery_id, agent_id=command.agent_id)
        header.issued_at.FromDatetime(command.issued_at)
        header.deadline.FromDatetime(command.deadline)
        # Joined serializations of one type are the serialization of the merged message.
        envelope = header.SerializeToString() + command.body
        signed = commands_pb2.SignedCommand(
            envelope=envelope,
            signature=sign_message(self._key, context=COMMAND_CONTEXT, message=envelope),
            signer_certificate=self.certificate,
        )
        return control_pb2.HubMessage(command=signed)


def _hub_hello(value: HubHello) -> control_pb2.HubMessage:
    hello = control_pb2.HubHello()
    fill(hello, value)
    return control_pb2.HubMessage(hello=hello)


def _done_committed(value: DoneCommitted) -> control_pb2.HubMessage:
    return control_pb2.HubMessage(done_committed=control_pb2.DoneCommitted(command_id=value.delivery_id))


def _batch_committed(value: BatchCommitted) -> control_pb2.HubMessage:
    batch = control_pb2.BatchCommitted(command_id=value.delivery_id, sequence=value.sequence)
    return control_pb2.HubMessage(batch_committed=batch)


def _cancel(value: CancelCommand) -> control_pb2.HubMessage:
    return control_pb2.HubMessage(cancel=control_pb2.CancelCommand(command_id=value.delivery_id))


def _identity_issued(value: IdentityIssued) -> control_pb2.HubMessage:
    issued = control_pb2.IdentityIssued(certificate=value.certificate, agent_ca=value.agent_ca)
    return control_pb2.HubMessage(identity_issued=issued)


_TO_AGENT: dict[type, Callable[[Any], control_pb2.HubMessage]] = {
    HubHello: _hub_hello,
    Heartbeat: lambda _value: control_pb2.HubMessage(heartbeat=control_pb2.Heartbeat()),
    CancelCommand: _cancel,
    BatchCommitted: _batch_committed,
    DoneCommitted: _done_committed,
    RenewIdentity: lambda _value: control_pb2.HubMessage(renew_identity=control_pb2.RenewIdentity()),
    IdentityIssued: _identity_issued,
    Configure: lambda value: control_pb2.HubMessage(configure=control_pb2.Configure(name=value.name)),
}


def to_agent(value: ToAgent, signer: CommandSigner) -> control_pb2.HubMessage:
    """Build the message for an agent; commands are signed here."""
    return signer.sign(value) if isinstance(value, Deliver) else _TO_AGENT[type(value)](value)


def encode_to_agent(value: ToAgent, signer: CommandSigner) -> bytes:
    """Return the serialized message for an agent."""
    return to_agent(value, signer).SerializeToString()


def decode_from_agent(data: bytes) -> ToHub | StreamViolation:
    """Read a serialized message; what breaks the protocol comes back as the violation, to be raised in turn.

    gRPC calls this outside the stream's own code, where an exception would end the call without a reason.
    """
    try:
        return from_agent(control_pb2.AgentMessage.FromString(data))
    except DecodeError:
        return StreamViolation("the message can't be read")
    except StreamViolation as violation:
        return violation
    except FactsMalformed as fault:
        return StreamViolation(fault.message)


# ---- enrollment

_MAX_ID = 64


def _enroll(data: bytes) -> EnrollRequest:
    message = enrollment_pb2.EnrollRequest.FromString(data)
    return EnrollRequest(
        secret=message.token_secret,
        csr=message.csr,
        facts=facts_from(message.facts),
        name=clean_text(message.name),
    )


def _begin_rejoin(data: bytes) -> BeginRejoinRequest:
    return BeginRejoinRequest(
        clean_text(enrollment_pb2.BeginRejoinRequest.FromString(data).agent_id)[:_MAX_ID]
    )


def _complete_rejoin(data: bytes) -> CompleteRejoinRequest:
    message = enrollment_pb2.CompleteRejoinRequest.FromString(data)
    return CompleteRejoinRequest(
        agent_id=clean_text(message.agent_id)[:_MAX_ID],
        challenge=message.challenge,
        signature=message.signature,
        facts=facts_from(message.facts),
    )


def _decoder(decode: Callable[[bytes], DecodedT]) -> Callable[[bytes], DecodedT | Malformed]:
    def guarded(data: bytes) -> DecodedT | Malformed:
        try:
            return decode(data)
        except DecodeError:
            return Malformed("the message can't be read")
        except FactsMalformed as fault:
            return fault

    return guarded


# As with the stream, what can't be read comes back as the error, to be raised by the service.
decode_enroll = _decoder(_enroll)
decode_begin_rejoin = _decoder(_begin_rejoin)
decode_complete_rejoin = _decoder(_complete_rejoin)


def encode_enrollment(response: EnrollResponse | BeginRejoinResponse) -> bytes:
    """Return the serialized answer of the enrollment service."""
    message: Message = (
        enrollment_pb2.EnrollResponse()
        if isinstance(response, EnrollResponse)
        else enrollment_pb2.BeginRejoinResponse()
    )
    fill(message, response)
    return message.SerializeToString()
