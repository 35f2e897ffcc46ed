"""May this command be executed at all: who signed it, for whom, and when.

Whoever holds the hub's stream but not its command signing key can make an agent do nothing. The checks go
from what anybody could forge to what only our hub can say; the local policy comes after them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agents.runtime.commands import Command
from agents.runtime.errors import SessionViolation
from agents.runtime.messages import ToAgentCommand
from agents.runtime.wire import decode_envelope
from pki.errors import LIBRARY_FAULTS, BadSignature
from pki.findings import Finding, first_finding
from pki.oids import COMMAND_SIGNING
from pki.signatures import verify_message

COMMAND_CONTEXT = b"certwright-command-v1"
CLOCK_TOLERANCE = timedelta(minutes=5)
MAX_LIFETIME = timedelta(days=31)
_MAX_ID_CHARS = 64
_NO_USAGE: tuple[type[Exception], ...] = (x509.ExtensionNotFound, *LIBRARY_FAULTS)
_NO_SIGNATURE: tuple[type[Exception], ...] = (BadSignature, *LIBRARY_FAULTS)


@dataclass(frozen=True, slots=True)
class Trust:
    """What a command is checked against."""

    ca: x509.Certificate
    agent_id: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A command as it came, with all that the checks look at."""

    signed: ToAgentCommand
    command: Command
    trust: Trust
    now: datetime
    clock_offset: timedelta = timedelta()
    """How far the hub's clock is ahead of ours; for the message only."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that is not to be executed; the id is empty where it could not even be read."""

    command_id: str
    finding: Finding


def _signer(candidate: Candidate) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(candidate.signed.signer_certificate)
    except LIBRARY_FAULTS:
        return None


def signer_not_issued_by_our_ca(candidate: Candidate) -> Finding | None:
    """The signer's certificate must come from the pinned agent CA."""
    signer = _signer(candidate)
    if signer is None:
        return Finding("SignerNotTrusted", "the signer's certificate can't be read")
    try:
        signer.verify_directly_issued_by(candidate.trust.ca)
    except LIBRARY_FAULTS:
        return Finding("SignerNotTrusted", "the signer's certificate is not by this agent's authority")
    return None


def signer_not_for_commands(candidate: Candidate) -> Finding | None:
    """Agents have certificates of the same CA: only the usage tells the hub's signing key from theirs."""
    signer = _signer(candidate)
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value if signer else ()
    except _NO_USAGE:
        usage = ()
    if COMMAND_SIGNING in usage:
        return None
    return Finding("SignerNotTrusted", "the signer's certificate is not for signing commands")


def signer_outside_validity(candidate: Candidate) -> Finding | None:
    """The signer's certificate must be valid now, give or take a wrong clock."""
    signer = _signer(candidate)
    if signer is None:
        return Finding("SignerNotTrusted", "the signer's certificate can't be read")
    if candidate.now > signer.not_valid_after_utc + CLOCK_TOLERANCE:
        return Finding("SignerNotTrusted", f"the signer's certificate has expired{_clock(candidate)}")
    if candidate.now < signer.not_valid_before_utc - CLOCK_TOLERANCE:
        return Finding("SignerNotTrusted", f"the signer's certificate is not valid yet{_clock(candidate)}")
    return None


def signature_wrong(candidate: Candidate) -> Finding | None:
    """The signature covers the envelope's bytes as they came."""
    signer = _signer(candidate)
    try:
        key = signer.public_key() if signer else None
        if not isinstance(key, Ed25519PublicKey):
            return Finding("SignatureInvalid", "the signer's key is not an Ed25519 key")
        signed = candidate.signed
        verify_message(key, context=COMMAND_CONTEXT, message=signed.envelope, signature=signed.signature)
    except _NO_SIGNATURE:
        return Finding("SignatureInvalid", "the command is not signed by the hub")
    return None


def command_id_malformed(candidate: Candidate) -> Finding | None:
    """Ids become file names and journal keys."""
    command_id = candidate.command.command_id
    fine = 0 < len(command_id) <= _MAX_ID_CHARS and command_id.isascii()
    if fine and command_id.replace("-", "").isalnum():
        return None
    return Finding("CommandMalformed", "the command's id is not one")


def addressed_to_another_agent(candidate: Candidate) -> Finding | None:
    """A command for one agent must not be shown to another."""
    if candidate.command.agent_id == candidate.trust.agent_id:
        return None
    return Finding("AddressedToAnotherAgent", f"the command is for agent {candidate.command.agent_id[:64]}")


def issued_in_the_future(candidate: Candidate) -> Finding | None:
    """A date ahead of ours means a wrong clock here or there."""
    if candidate.command.issued_at <= candidate.now + CLOCK_TOLERANCE:
        return None
    issued = candidate.command.issued_at
    return Finding("ClockDiffers", f"the command was issued in the future, at {issued}{_clock(candidate)}")


def deadline_passed(candidate: Candidate) -> Finding | None:
    """What is late is not begun."""
    if candidate.now < candidate.command.deadline:
        return None
    return Finding("Expired", f"the deadline was {candidate.command.deadline}{_clock(candidate)}")


def deadline_too_far(candidate: Candidate) -> Finding | None:
    """Nothing signed stays good for ever: the journal forgets in time too."""
    if candidate.command.deadline - candidate.command.issued_at <= MAX_LIFETIME:
        return None
    return Finding("DeadlineTooFar", f"a command is good for {MAX_LIFETIME.days} days at most")


def kind_unknown(candidate: Candidate) -> Finding | None:
    """A command of a later version of the protocol."""
    if candidate.command.body is not None:
        return None
    return Finding("CommandUnknown", "this agent's version does not know this kind of command")


def _clock(candidate: Candidate) -> str:
    offset = candidate.clock_offset.total_seconds()
    if abs(offset) < CLOCK_TOLERANCE.total_seconds() / 5:
        return ""
    direction = "behind" if offset > 0 else "ahead of"
    return f"; this host's clock is {abs(offset):.0f} s {direction} the hub's"


AUTHENTICITY = (
    signer_not_issued_by_our_ca,
    signer_not_for_commands,
    signer_outside_validity,
    signature_wrong,
    command_id_malformed,
    addressed_to_another_agent,
)
"""What decides whether the command comes from the hub, for us."""

TIMELINESS = (issued_in_the_future, deadline_too_far, deadline_passed, kind_unknown)
"""What decides whether a new command may begin. A repeat is answered however late it comes."""


def authenticate(
    signed: ToAgentCommand, trust: Trust, *, now: datetime, clock_offset: timedelta = timedelta()
) -> Candidate | Refused:
    """Read and authenticate a command; a refusal carries the first finding."""
    try:
        command = decode_envelope(signed.envelope)
    except SessionViolation as fault:
        return Refused("", Finding("CommandMalformed", str(fault)))
    candidate = Candidate(signed, command, trust, now, clock_offset)
    finding = first_finding(AUTHENTICITY, candidate)
    return Refused(command.command_id[:_MAX_ID_CHARS], finding) if finding else candidate
