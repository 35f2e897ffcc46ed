"""Every message of the protocol, both ways."""

from datetime import UTC, datetime

import pytest
from certwright.agent.v1 import commands_pb2, control_pb2

from agents.runtime import commands, messages
from agents.runtime.commands import (
    CertificateGenerated,
    CertificateInstalled,
    CertificateStored,
    CommandFailure,
    DomainControlSeen,
    Endpoint,
    InstallOutcome,
    KeyDeleted,
    KeyExported,
    NetworkDiscovered,
    NetworkFinds,
    NodePort,
    SealedKey,
    Server,
    ServerInventory,
    ServerNode,
)
from agents.runtime.errors import SessionViolation
from agents.runtime.wire import decode_envelope, encode_done, encode_finds, from_hub, to_hub

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PORT = NodePort(address="::1", port=443, protocol="https", certificate_sha256=b"\x01" * 32)
NODE = ServerNode(id="n", names=("a", "b"), ports=(PORT,), location="f:1", manageable=True)
INVENTORY = ServerInventory(servers=(Server(name="s", kind="nginx", version="1", nodes=(NODE,)),))
OUTCOME = InstallOutcome(
    server="s",
    node_id="n",
    status="failed",
    reason="R",
    message="m",
    served=(PORT,),
    rolled_back=True,
    steps=("1",),
)
RESULTS = [
    NetworkDiscovered(targets=5, open=1, closed=2, silent=2, certificates=1),
    INVENTORY,
    CertificateGenerated(key_id="k", csr=b"csr", spki_sha256=b"\x02" * 32),
    CertificateStored(key_id="k", certificate_sha256=b"\x03" * 32),
    CertificateInstalled(outcomes=(OUTCOME,)),
    KeyExported(sealed_key=SealedKey(envelope=b"e", spki_sha256=b"\x04" * 32, sender_agent_id="a")),
    KeyDeleted(key_id="k"),
    DomainControlSeen(
        values=("v",),
        trail=("dns 10.0.0.1",),
        reason="ValueDiffers",
        message="m",
        authenticated=True,
        seen_at=NOW,
    ),
]
ENDPOINT = Endpoint(
    address="10.0.0.1",
    port=443,
    server_name="a.example",
    chain_sha256=(b"\x05" * 32,),
    status="ok",
    reason="",
    protocol="TLSv1.3",
    hostname="",
    seen_at=NOW,
    partial=True,
)


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
def test_every_result_reaches_the_protocol(result):
    done = control_pb2.CommandDone.FromString(encode_done("c1", result))

    field = done.result.WhichOneof("body")
    assert field.replace("_", "") == type(result).__name__.lower()
    assert done.command_id == "c1"


def test_nested_results_keep_everything():
    done = control_pb2.CommandDone.FromString(encode_done("c1", CertificateInstalled(outcomes=(OUTCOME,))))

    (outcome,) = done.result.certificate_installed.outcomes
    assert (outcome.status, outcome.reason, outcome.rolled_back, list(outcome.steps)) == (
        "failed",
        "R",
        True,
        ["1"],
    )
    assert outcome.served[0].certificate_sha256 == PORT.certificate_sha256


def test_an_empty_result_is_still_a_result():
    done = control_pb2.CommandDone.FromString(encode_done("c1", ServerInventory(servers=())))

    assert done.result.WhichOneof("body") == "server_inventory"


def test_a_failure_reaches_the_protocol():
    failure = CommandFailure(reason="R", message="m", retryable=True)

    done = control_pb2.CommandDone.FromString(encode_done("c1", failure))

    assert (done.failure.reason, done.failure.message, done.failure.retryable) == ("R", "m", True)


def test_finds_reach_the_protocol():
    finds = NetworkFinds(
        certificates=(b"der",), endpoints=(ENDPOINT,), cursor=9, targets_done=9, targets_total=10
    )

    sent = to_hub(messages.ToHubBatch("c1", 3, encode_finds(finds))).batch

    assert (sent.command_id, sent.sequence, sent.network_finds.cursor) == ("c1", 3, 9)
    (endpoint,) = sent.network_finds.endpoints
    assert endpoint.seen_at.ToDatetime(tzinfo=UTC) == NOW
    assert list(endpoint.chain_sha256) == [b"\x05" * 32]


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (messages.ToHubHeartbeat(NOW, 2), "heartbeat"),
        (messages.ToHubAccepted("c"), "accepted"),
        (messages.ToHubProgress("c", 0.5, "m"), "progress"),
        (messages.ToHubDone("c", encode_done("c", KeyDeleted(key_id="k"))), "done"),
        (messages.ToHubIdentityRequest(b"csr"), "identity_request"),
        (messages.ToHubInventory(ServerInventory(servers=())), "inventory"),
    ],
)
def test_every_message_to_the_hub(message, field):
    assert to_hub(message).WhichOneof("body") == field


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cancel": control_pb2.CancelCommand(command_id="c")}, messages.ToAgentCancel("c")),
        (
            {"batch_committed": control_pb2.BatchCommitted(command_id="c", sequence=4)},
            messages.ToAgentBatchCommitted("c", 4),
        ),
        ({"done_committed": control_pb2.DoneCommitted(command_id="c")}, messages.ToAgentDoneCommitted("c")),
        ({"renew_identity": control_pb2.RenewIdentity()}, messages.ToAgentRenew()),
        (
            {"identity_issued": control_pb2.IdentityIssued(certificate=b"c", agent_ca=b"a")},
            messages.ToAgentIdentity(b"c", b"a"),
        ),
        (
            {"configure": control_pb2.Configure(name="n", heartbeat_interval_s=5)},
            messages.ToAgentConfigure("n", 5),
        ),
        ({"heartbeat": control_pb2.Heartbeat()}, messages.ToAgentHeartbeat()),
        ({}, messages.ToAgentUnknown()),
    ],
)
def test_every_message_of_the_hub(fields, expected):
    assert from_hub(control_pb2.HubMessage(**fields)) == expected


BODIES = {
    "discover_network": (
        commands_pb2.DiscoverNetwork(
            ranges=[commands_pb2.ScanRange(target="10.0.0.0/8", ports=["443", "1-9"])],
            exclusions=["10.1.1.1"],
            connects_per_second=5,
            concurrency=6,
            timeout_ms=7,
        ),
        commands.DiscoverNetwork(
            ranges=(commands.ScanRange(target="10.0.0.0/8", ports=("443", "1-9")),),
            exclusions=("10.1.1.1",),
            connects_per_second=5,
            concurrency=6,
            timeout_ms=7,
        ),
    ),
    "discover_servers": (commands_pb2.DiscoverServers(), commands.DiscoverServers()),
    "generate_certificate": (
        commands_pb2.GenerateCertificate(
            key_id="k",
            key_type="EC-P256",
            common_name="cn",
            dns_names=["a"],
            ip_addresses=["::1"],
            subject=commands_pb2.SubjectFields(organization="O", country="DE"),
            reuse_key=True,
        ),
        commands.GenerateCertificate(
            key_id="k",
            key_type="EC-P256",
            common_name="cn",
            dns_names=("a",),
            ip_addresses=("::1",),
            subject=commands.SubjectAttributes(organization="O", country="DE"),
            reuse_key=True,
        ),
    ),
    "store_certificate": (
        commands_pb2.StoreCertificate(
            key_id="k",
            chain=[b"a", b"b"],
            sealed_key=commands_pb2.SealedKey(envelope=b"e", sender_agent_id="s"),
        ),
        commands.StoreCertificate(
            key_id="k",
            chain=(b"a", b"b"),
            sealed_key=SealedKey(envelope=b"e", spki_sha256=b"", sender_agent_id="s"),
        ),
    ),
    "install_certificate": (
        commands_pb2.InstallCertificate(
            key_id="k",
            certificate_sha256=b"f",
            targets=[commands_pb2.InstallTarget(server="s", node_id="n")],
            dry_run=True,
        ),
        commands.InstallCertificate(
            key_id="k",
            certificate_sha256=b"f",
            targets=(commands.InstallTarget(server="s", node_id="n"),),
            dry_run=True,
        ),
    ),
    "export_key": (
        commands_pb2.ExportKey(key_id="k", receiver_public_key=b"p", receiver_agent_id="r"),
        commands.ExportKey(key_id="k", receiver_public_key=b"p", receiver_agent_id="r"),
    ),
    "delete_key": (commands_pb2.DeleteKey(key_id="k"), commands.DeleteKey(key_id="k")),
    "check_domain_control": (
        commands_pb2.CheckDomainControl(
            domain="a.example", method="file", name="n", urls=["http://a.example/f"], timeout_ms=500
        ),
        commands.CheckDomainControl(
            domain="a.example", method="file", name="n", urls=("http://a.example/f",), timeout_ms=500
        ),
    ),
    "restart_server": (
        commands_pb2.RestartServer(server="s", node_ids=["n"], certificate_sha256=b"s"),
        commands.RestartServer(server="s", node_ids=("n",), certificate_sha256=b"s"),
    ),
    "export_key_file": (
        commands_pb2.ExportKeyFile(
            key_id="k", chain=[b"c"], format="pem", receiver_public_key=b"r", download_id="d"
        ),
        commands.ExportKeyFile(
            key_id="k", chain=(b"c",), format="pem", receiver_public_key=b"r", download_id="d"
        ),
    ),
    "import_key": (
        commands_pb2.ImportKey(key_id="k", chain=[b"c"], envelope=b"e"),
        commands.ImportKey(key_id="k", chain=(b"c",), envelope=b"e"),
    ),
    "serve_challenge": (
        commands_pb2.ServeChallenge(
            key="k",
            method="http-01",
            identifier="a.example",
            token="t",
            key_authorization="t.p",
            lifetime_s=60,
        ),
        commands.ServeChallenge(
            key="k",
            method="http-01",
            identifier="a.example",
            token="t",
            key_authorization="t.p",
            lifetime_s=60,
        ),
    ),
    "withdraw_challenge": (
        commands_pb2.WithdrawChallenge(key="k"),
        commands.WithdrawChallenge(key="k"),
    ),
}


@pytest.mark.parametrize("field", BODIES)
def test_every_command(field):
    sent, expected = BODIES[field]
    envelope = commands_pb2.CommandEnvelope(command_id="c", agent_id="a", **{field: sent})
    envelope.deadline.FromDatetime(NOW)

    command = decode_envelope(envelope.SerializeToString())

    assert command.body == expected
    assert (command.command_id, command.agent_id, command.deadline) == ("c", "a", NOW)


def test_all_commands_of_the_protocol_are_known():
    fields = commands_pb2.CommandEnvelope.DESCRIPTOR.oneofs_by_name["body"].fields
    assert {field.name for field in fields} == set(BODIES)


def test_what_is_no_envelope_is_a_violation():
    with pytest.raises(SessionViolation):
        decode_envelope(b"\xff\xff\xff")


def test_a_time_outside_the_calendar_is_a_violation():
    envelope = commands_pb2.CommandEnvelope()
    envelope.deadline.seconds = 2**62

    with pytest.raises(SessionViolation):
        decode_envelope(envelope.SerializeToString())
