"""Protobuf messages and the agents' own types; no ``_pb2`` type goes further in than this file.

Results have the same field names on both sides, so one function fills any of them. What the hub sends is
read field by field: it decides what this agent does.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from certwright.agent.v1 import commands_pb2, control_pb2, enrollment_pb2
from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from agents.runtime.commands import (
    CheckDomainControl,
    Command,
    CommandBody,
    CommandFailure,
    DeleteKey,
    DiscoverNetwork,
    DiscoverServers,
    ExportKey,
    ExportKeyFile,
    GenerateCertificate,
    ImportKey,
    InstallCertificate,
    InstallTarget,
    NetworkFinds,
    Outcome,
    RestartServer,
    ScanRange,
    SealedKey,
    ServeChallenge,
    StoreCertificate,
    SubjectAttributes,
    WithdrawChallenge,
)
from agents.runtime.errors import SessionViolation
from agents.runtime.messages import (
    AgentFacts,
    ToAgent,
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
    ToHub,
    ToHubAccepted,
    ToHubBatch,
    ToHubDone,
    ToHubHeartbeat,
    ToHubHello,
    ToHubIdentityRequest,
    ToHubInventory,
    ToHubProgress,
)

_RESULT_FIELDS = {
    "NetworkDiscovered": "network_discovered",
    "ServerInventory": "server_inventory",
    "CertificateGenerated": "certificate_generated",
    "CertificateStored": "certificate_stored",
    "CertificateInstalled": "certificate_installed",
    "KeyExported": "key_exported",
    "KeyDeleted": "key_deleted",
    "DomainControlSeen": "domain_control_seen",
    "ServerRestarted": "server_restarted",
    "KeyFileExported": "key_file_exported",
    "KeyImported": "key_imported",
    "ChallengeServed": "challenge_served",
    "ChallengeWithdrawn": "challenge_withdrawn",
}


# ---- to the hub


def _fill(message: Message, value: Any) -> None:
    """Copy a dataclass into the protobuf message with the same field names."""
    for field in fields(value):
        item = getattr(value, field.name)
        if isinstance(item, datetime):
            getattr(message, field.name).FromDatetime(item)
        elif is_dataclass(item):
            target = getattr(message, field.name)
            target.SetInParent()
            _fill(target, item)
        elif isinstance(item, tuple):
            target = getattr(message, field.name)
            for part in item:
                if is_dataclass(part):
                    _fill(target.add(), part)
                else:
                    target.append(part)
        else:
            setattr(message, field.name, item)


def facts_message(facts: AgentFacts) -> enrollment_pb2.AgentFacts:
    """The facts as enrollment and re-joining send them."""
    message = enrollment_pb2.AgentFacts()
    _fill(message, facts)
    return message


def encode_done(command_id: str, outcome: Outcome) -> bytes:
    """Serialize a command's end, for the journal and the stream."""
    done = control_pb2.CommandDone(command_id=command_id)
    if isinstance(outcome, CommandFailure):
        _fill(done.failure, outcome)
        done.failure.SetInParent()
    else:
        result = getattr(done.result, _RESULT_FIELDS[type(outcome).__name__])
        result.SetInParent()
        _fill(result, outcome)
    return done.SerializeToString()


def encode_finds(finds: NetworkFinds) -> bytes:
    """Serialize a batch's body, for the journal and the stream."""
    message = commands_pb2.NetworkFinds()
    _fill(message, finds)
    return message.SerializeToString()


def _batch(message: ToHubBatch) -> control_pb2.AgentMessage:
    finds = commands_pb2.NetworkFinds.FromString(message.finds)
    batch = control_pb2.ResultBatch(
        command_id=message.command_id, sequence=message.sequence, network_finds=finds
    )
    return control_pb2.AgentMessage(batch=batch)


def to_hub(message: ToHub) -> control_pb2.AgentMessage:
    """Turn a message of the session into protobuf."""
    sent = control_pb2.AgentMessage()
    match message:
        case ToHubBatch():
            return _batch(message)
        case ToHubDone():
            sent.done.ParseFromString(message.done)
        case ToHubHello():
            _fill(sent.hello, message)
        case ToHubHeartbeat():
            _fill(sent.heartbeat, message)
        case ToHubAccepted():
            _fill(sent.accepted, message)
        case ToHubProgress():
            _fill(sent.progress, message)
        case ToHubIdentityRequest():
            _fill(sent.identity_request, message)
        case ToHubInventory():
            sent.inventory.SetInParent()
            _fill(sent.inventory, message.inventory)
    return sent


# ---- to the agent


def _time(stamp: Timestamp) -> datetime:
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as fault:
        raise SessionViolation("a time is out of range") from fault


def _hello(message: control_pb2.HubHello) -> ToAgentHello:
    return ToAgentHello(
        version=message.version,
        heartbeat_interval_s=message.heartbeat_interval_s,
        heartbeat_timeout_s=message.heartbeat_timeout_s,
        now=_time(message.now),
        capabilities=tuple(message.capabilities),
    )


def _command(signed: commands_pb2.SignedCommand) -> ToAgentCommand:
    return ToAgentCommand(signed.envelope, signed.signature, signed.signer_certificate)


_FROM_HUB: dict[str, Callable[[Any], ToAgent]] = {
    "hello": _hello,
    "command": _command,
    "cancel": lambda body: ToAgentCancel(body.command_id),
    "batch_committed": lambda body: ToAgentBatchCommitted(body.command_id, body.sequence),
    "done_committed": lambda body: ToAgentDoneCommitted(body.command_id),
    "renew_identity": lambda _: ToAgentRenew(),
    "identity_issued": lambda body: ToAgentIdentity(body.certificate, body.agent_ca),
    "configure": lambda body: ToAgentConfigure(body.name, body.heartbeat_interval_s),
    "heartbeat": lambda _: ToAgentHeartbeat(),
}


def from_hub(message: control_pb2.HubMessage) -> ToAgent:
    """Turn a protobuf message into one for the session; raise SessionViolation for impossible values."""
    field = message.WhichOneof("body")
    return ToAgentUnknown() if field is None else _FROM_HUB[field](getattr(message, field))


def decode_envelope(envelope: bytes) -> Command:
    """Read a command's envelope; raise SessionViolation if it is none."""
    try:
        message = commands_pb2.CommandEnvelope.FromString(envelope)
    except DecodeError as fault:
        raise SessionViolation("the envelope is not a serialized command") from fault
    field = message.WhichOneof("body")
    return Command(
        command_id=message.command_id,
        agent_id=message.agent_id,
        issued_at=_time(message.issued_at),
        deadline=_time(message.deadline),
        body=None if field is None else _BODIES[field](getattr(message, field)),
    )


def _discover_network(body: commands_pb2.DiscoverNetwork) -> DiscoverNetwork:
    return DiscoverNetwork(
        ranges=tuple(ScanRange(target=entry.target, ports=tuple(entry.ports)) for entry in body.ranges),
        exclusions=tuple(body.exclusions),
        connects_per_second=body.connects_per_second,
        concurrency=body.concurrency,
        timeout_ms=body.timeout_ms,
    )


def _generate_certificate(body: commands_pb2.GenerateCertificate) -> GenerateCertificate:
    subject = body.subject
    return GenerateCertificate(
        key_id=body.key_id,
        key_type=body.key_type,
        common_name=body.common_name,
        dns_names=tuple(body.dns_names),
        ip_addresses=tuple(body.ip_addresses),
        subject=SubjectAttributes(
            organization=subject.organization,
            organizational_unit=subject.organizational_unit,
            locality=subject.locality,
            state=subject.state,
            country=subject.country,
        ),
        reuse_key=body.reuse_key,
    )


def _store_certificate(body: commands_pb2.StoreCertificate) -> StoreCertificate:
    sealed = None
    if body.HasField("sealed_key"):
        sealed = SealedKey(
            envelope=body.sealed_key.envelope,
            spki_sha256=body.sealed_key.spki_sha256,
            sender_agent_id=body.sealed_key.sender_agent_id,
        )
    return StoreCertificate(key_id=body.key_id, chain=tuple(body.chain), sealed_key=sealed)


def _install_certificate(body: commands_pb2.InstallCertificate) -> InstallCertificate:
    return InstallCertificate(
        key_id=body.key_id,
        certificate_sha256=body.certificate_sha256,
        targets=tuple(InstallTarget(server=entry.server, node_id=entry.node_id) for entry in body.targets),
        dry_run=body.dry_run,
    )


def _export_key(body: commands_pb2.ExportKey) -> ExportKey:
    return ExportKey(
        key_id=body.key_id,
        receiver_public_key=body.receiver_public_key,
        receiver_agent_id=body.receiver_agent_id,
    )


def _check_domain_control(body: commands_pb2.CheckDomainControl) -> CheckDomainControl:
    return CheckDomainControl(
        domain=body.domain,
        method=body.method,
        name=body.name,
        urls=tuple(body.urls),
        timeout_ms=body.timeout_ms,
    )


def _restart_server(body: commands_pb2.RestartServer) -> RestartServer:
    return RestartServer(
        server=body.server, node_ids=tuple(body.node_ids), certificate_sha256=body.certificate_sha256
    )


def _export_key_file(body: commands_pb2.ExportKeyFile) -> ExportKeyFile:
    return ExportKeyFile(
        key_id=body.key_id,
        chain=tuple(body.chain),
        format=body.format,
        receiver_public_key=body.receiver_public_key,
        download_id=body.download_id,
    )


def _import_key(body: commands_pb2.ImportKey) -> ImportKey:
    return ImportKey(key_id=body.key_id, chain=tuple(body.chain), envelope=body.envelope)


def _serve_challenge(body: commands_pb2.ServeChallenge) -> ServeChallenge:
    return ServeChallenge(
        key=body.key,
        method=body.method,
        identifier=body.identifier,
        token=body.token,
        key_authorization=body.key_authorization,
        lifetime_s=body.lifetime_s,
    )


_BODIES: dict[str, Callable[[Any], CommandBody]] = {
    "discover_network": _discover_network,
    "discover_servers": lambda _: DiscoverServers(),
    "generate_certificate": _generate_certificate,
    "store_certificate": _store_certificate,
    "install_certificate": _install_certificate,
    "export_key": _export_key,
    "delete_key": lambda body: DeleteKey(key_id=body.key_id),
    "check_domain_control": _check_domain_control,
    "restart_server": _restart_server,
    "export_key_file": _export_key_file,
    "import_key": _import_key,
    "serve_challenge": _serve_challenge,
    "withdraw_challenge": lambda body: WithdrawChallenge(key=body.key),
}
