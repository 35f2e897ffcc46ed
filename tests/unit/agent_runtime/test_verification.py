from datetime import UTC, datetime, timedelta

import pytest
from certwright.agent.v1 import commands_pb2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.messages import ToAgentCommand
from agents.runtime.verification import TIMELINESS, Candidate, Refused, Trust, authenticate
from pki.findings import first_finding
from pki.oids import COMMAND_SIGNING
from tests.integration.agent.fake_hub import Authority, envelope

AUTHORITY = Authority()
OTHER = Authority()
TRUST = Trust(AUTHORITY.certificate, "agent-1")


def now() -> datetime:
    return datetime.now(UTC)


def signed(message=None, **how) -> ToAgentCommand:
    message = message or command()
    made = AUTHORITY.sign(message.SerializeToString(), **how)
    return ToAgentCommand(made.envelope, made.signature, made.signer_certificate)


def command(agent_id="agent-1", **options):
    return envelope(agent_id, delete_key=commands_pb2.DeleteKey(key_id="k"), **options)


def reason_of(message: ToAgentCommand, **options) -> str:
    verdict = authenticate(message, TRUST, now=options.pop("at", now()), **options)
    if isinstance(verdict, Refused):
        return verdict.finding.reason
    finding = first_finding(TIMELINESS, verdict)
    return finding.reason if finding else ""


def test_the_hubs_command_passes():
    message = command()

    verdict = authenticate(signed(message), TRUST, now=now())

    assert isinstance(verdict, Candidate)
    assert verdict.command.command_id == message.command_id
    assert verdict.command.kind == "DeleteKey"
    assert reason_of(signed(message)) == ""


def test_another_authoritys_signer_is_refused():
    foreign = OTHER.sign(command().SerializeToString())

    message = ToAgentCommand(foreign.envelope, foreign.signature, foreign.signer_certificate)

    assert reason_of(message) == "SignerNotTrusted"


def test_an_agents_own_certificate_does_not_sign_commands():
    key = Ed25519PrivateKey.generate()
    agent = AUTHORITY.issue(key.public_key(), "agent-2", ExtendedKeyUsageOID.CLIENT_AUTH)

    assert reason_of(signed(key=key, signer=agent)) == "SignerNotTrusted"


def test_the_signers_certificate_must_be_valid():
    key = Ed25519PrivateKey.generate()
    old = AUTHORITY.issue(key.public_key(), "signer", COMMAND_SIGNING, days=-1, age_days=10)

    assert reason_of(signed(key=key, signer=old)) == "SignerNotTrusted"


def test_a_genuine_certificate_with_another_key_is_refused():
    assert reason_of(signed(key=Ed25519PrivateKey.generate())) == "SignatureInvalid"


def test_a_signature_for_another_purpose_is_refused():
    assert reason_of(signed(context=b"certwright-approval-v1")) == "SignatureInvalid"


def test_a_signer_that_is_no_certificate_is_refused():
    good = signed()

    assert reason_of(ToAgentCommand(good.envelope, good.signature, b"nonsense")) == "SignerNotTrusted"


@given(position=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_no_byte_of_an_envelope_can_be_changed(position, flip):
    good = signed()
    tampered = bytearray(good.envelope)
    tampered[position % len(tampered)] ^= flip

    assert reason_of(ToAgentCommand(bytes(tampered), good.signature, good.signer_certificate)) in {
        "SignatureInvalid",
        "CommandMalformed",
    }


@given(st.binary(max_size=200), st.binary(max_size=80), st.binary(max_size=200))
def test_garbage_is_refused_and_never_raises(envelope_bytes, signature, certificate):
    assert reason_of(ToAgentCommand(envelope_bytes, signature, certificate)) in {
        "SignerNotTrusted",
        "CommandMalformed",
    }


def test_a_command_for_another_agent_is_refused():
    assert reason_of(signed(command("agent-2"))) == "AddressedToAnotherAgent"


@pytest.mark.parametrize("command_id", ["../../etc/passwd", "a b", "", "x" * 65, "é"])
def test_an_id_that_could_be_a_path_is_refused(command_id):
    message = command(command_id=command_id or None)
    message.command_id = command_id

    assert reason_of(signed(message)) == "CommandMalformed"


def test_a_late_command_is_refused():
    assert reason_of(signed(command(deadline_s=-1))) == "Expired"


def test_a_command_from_the_future_is_refused_and_the_clock_is_told():
    verdict = authenticate(
        signed(command(issued_in_s=3600, deadline_s=7200)),
        TRUST,
        now=now(),
        clock_offset=timedelta(hours=1),
    )

    finding = first_finding(TIMELINESS, verdict)

    assert finding.reason == "ClockDiffers"
    assert "3600 s behind the hub's" in finding.message


def test_a_little_difference_of_clocks_is_tolerated():
    assert reason_of(signed(command(issued_in_s=120))) == ""


def test_nothing_is_good_for_ever():
    assert reason_of(signed(command(deadline_s=40 * 86_400))) == "DeadlineTooFar"


def test_a_kind_of_a_later_version_is_unknown():
    assert reason_of(signed(envelope("agent-1"))) == "CommandUnknown"
