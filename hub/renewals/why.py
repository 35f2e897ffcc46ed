"""Why was it (not) renewed? One sentence, by a table of cases that knows every state a certificate can be in.

Pure: the facts are gathered by :mod:`hub.renewals.why_facts`. The first case that fits answers; the last one
fits always.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hub.lifecycle.requests import Method
from hub.lifecycle.states import CertificateStatus, InstallState, RenewalState
from hub.renewals.failures import FAILURES, FailureKind
from hub.renewals.plan import RenewalRules

_S, _R, _I = CertificateStatus, RenewalState, InstallState
_UNDECIDED = frozenset({_S.REQUESTED, _S.APPROVED, _S.APPLIED})
_DEAD = frozenset({_S.DECLINED, _S.REJECTED, _S.INVALID})
_OPEN = _UNDECIDED | {_S.ISSUED, _S.DOWNLOADED}
_LIVE = frozenset({_S.ISSUED, _S.DOWNLOADED})
AUTO_VIA = "Auto-Renewal"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """An agent that something waits for."""

    name: str
    connected: bool
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessorFacts:
    """The request that is to take a certificate's place, and what it waits for."""

    id: int
    status: str
    status_reason: str = ""
    status_message: str = ""
    requested_via: str = ""
    method: str = ""
    installs_itself: bool = False
    install_state: str = ""
    issued_at: datetime | None = None
    approvers: tuple[str, ...] = ()
    approvals_needed: int = 1
    organization: str = ""
    agents: tuple[AgentFacts, ...] = ()
    next_step_at: datetime | None = None
    step_message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyFacts:
    """Everything that the answer is made of."""

    now: datetime
    status: str
    rules: RenewalRules
    renewal_state: str
    not_after: datetime | None = None
    due_at: datetime | None = None
    plan_sentence: str = ""
    renewed_by_id: int | None = None
    revocation_reason: str = ""
    successor: SuccessorFacts | None = None
    failure_kind: str = ""
    failure_message: str = ""
    failed_at: datetime | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The answer: a stable word, a sentence, and what a person should do (empty: nothing)."""

    reason: str
    sentence: str
    instruction: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)


Case = Callable[[WhyFacts], Why | None]


def moment(at: datetime | None) -> str:
    """Return a time as people read it, in UTC."""
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "a time unknown"


# ---- ended, or not begun


def not_issued(facts: WhyFacts) -> Why | None:
    """There is nothing to renew yet."""
    if facts.status in _UNDECIDED:
        return Why(reason="NotIssuedYet", sentence=f"It is {facts.status}: there is nothing to renew yet.")
    if facts.status in _DEAD:
        return Why(reason="NeverIssued", sentence=f"It is {facts.status}: there never was a certificate.")
    return None


def renewed(facts: WhyFacts) -> Why | None:
    """It was renewed; perhaps somebody still has to install what came."""
    if facts.renewal_state != _R.SUCCESSFUL:
        return None
    successor, number = facts.successor, facts.renewed_by_id
    if successor is None:
        return Why(reason="Renewed", sentence=f"It was renewed: certificate {number} took its place.")
    if successor.status == _S.REVOKED:
        return Why(
            reason="SuccessorRevoked",
            sentence=f"It was renewed, but certificate {number} was revoked afterwards.",
            instruction="Renew it again by hand.",
        )
    by_hand = successor.requested_via != AUTO_VIA
    how = f"by hand ({successor.requested_via})" if by_hand and successor.requested_via else ""
    word = "Superseded" if by_hand else "Renewed"
    text = (
        f"It was renewed {how}".rstrip() + f": certificate {number} was issued {moment(successor.issued_at)}"
    )
    if successor.method != Method.AUTO_INSTALL:
        return Why(reason=word, sentence=text + ".")
    if successor.install_state == _I.SUCCESSFUL:
        return Why(reason=word, sentence=text + " and its servers were seen to show it.")
    return Why(
        reason="WaitsForHand",
        sentence=text + f"; its installation is {successor.install_state}.",
        instruction="Install the new certificate: that is triggered by hand.",
    )


def revoked(facts: WhyFacts) -> Why | None:
    """Revoked: nobody renews that."""
    if facts.status != _S.REVOKED:
        return None
    return Why(
        reason="Revoked",
        sentence=f"It was revoked ({facts.revocation_reason or 'no reason given'}), which ends its renewal.",
    )


def replaced(facts: WhyFacts) -> Why | None:
    """Another took its place without a renewal."""
    if facts.status != _S.REPLACED:
        return None
    number = facts.renewed_by_id or (facts.successor.id if facts.successor else None)
    by = f" by certificate {number}" if number else ""
    return Why(reason="Replaced", sentence=f"It was replaced{by}, which ends its renewal.")


def unmanaged(facts: WhyFacts) -> Why | None:
    """It belongs to nobody."""
    if facts.status != _S.UNMANAGED:
        return None
    return Why(
        reason="Unmanaged",
        sentence="It was found and belongs to no organization, so nobody renews it.",
        instruction="Assign it to an organization, then set its automatic renewal.",
    )


# ---- under way


def waits_for_approval(facts: WhyFacts) -> Why | None:
    """Somebody has to approve."""
    successor = _under_way(facts)
    if successor is None or successor.status != _S.REQUESTED:
        return None
    done, needed = len(successor.approvers), successor.approvals_needed
    so_far = f"; approved by {', '.join(successor.approvers)}" if done else ""
    where = f" of {successor.organization}" if successor.organization else ""
    return _waiting(
        facts,
        "WaitsForApproval",
        f"request {successor.id} waits for the approval of {needed - done} administrator"
        f"{'s' if needed - done > 1 else ''}{where}{so_far}",
        "Approve or decline the request.",
    )


def waits_for_validation(facts: WhyFacts) -> Why | None:
    """The domain's validation is missing."""
    successor = _under_way(facts)
    if successor is None or successor.status not in _UNDECIDED:
        return None
    if "validat" not in f"{successor.status_message} {successor.step_message}":
        return None
    message = successor.status_message or successor.step_message
    instruction = FAILURES[FailureKind.NOT_VALIDATED].instruction
    return _waiting(facts, "ValidationMissing", f"a validation is missing: {message}", instruction)


def waits_for_key(facts: WhyFacts) -> Why | None:
    """An agent has to make the key."""
    successor = _under_way(facts)
    if successor is None or successor.status != _S.APPROVED or successor.method == Method.CSR:
        return None
    return _waiting(
        facts,
        "WaitsForKey",
        f"request {successor.id} waits for its key{_from_agents(successor)}",
        _agents_instruction(successor),
    )


def waits_for_ca(facts: WhyFacts) -> Why | None:
    """The CA is away, or has not decided."""
    successor = _under_way(facts)
    if successor is None or successor.status not in {_S.APPROVED, _S.APPLIED}:
        return None
    if successor.status_reason == "CaUnavailable":
        instruction = FAILURES[FailureKind.CA_UNAVAILABLE].instruction
        sentence = f"the CA could not be asked: {successor.status_message}"
        return _waiting(facts, "CaUnavailable", sentence, instruction)
    if successor.status_reason == "CaPending":
        sentence = f"the CA has order {successor.id} and has not decided yet"
        return _waiting(facts, "WaitsForCa", sentence, "Look at the order at the CA.")
    return _waiting(facts, "WaitsForCa", f"request {successor.id} is about to be ordered from the CA", "")


def waits_for_restart(facts: WhyFacts) -> Why | None:
    """Installed, and not verified: the server has to be restarted first."""
    successor = _under_way(facts)
    if successor is None or successor.install_state != _I.RESTART_REQUIRED:
        return None
    return _waiting(
        facts,
        "NotVerified",
        f"certificate {successor.id} is installed, but its server shows it only after a restart",
        "Restart the server, then install again to have it verified.",
    )


def waits_for_installation(facts: WhyFacts) -> Why | None:
    """Issued, and not installed yet."""
    successor = _under_way(facts)
    if successor is None or successor.status not in _LIVE:
        return None
    until = f"; next at {moment(successor.next_step_at)}" if successor.next_step_at else ""
    return _waiting(
        facts,
        "WaitsForInstallation",
        f"certificate {successor.id} is issued and waits for its installation"
        f"{_from_agents(successor)}{until}",
        _agents_instruction(successor),
    )


def started(facts: WhyFacts) -> Why | None:
    """Started, and nothing is known of a successor that goes on."""
    if facts.renewal_state != _R.STARTED:
        return None
    return _waiting(facts, "Started", "it has started", "Renew by hand if nothing follows within the hour.")


# ---- failed


def failed(facts: WhyFacts) -> Why | None:
    """The last attempt came to nothing."""
    if facts.renewal_state != _R.FAILED:
        return None
    kind = FailureKind(facts.failure_kind) if facts.failure_kind else FailureKind.INTERNAL
    reason = kind.value
    text = f"Renewal failed {moment(facts.failed_at)}: {facts.failure_message or reason}"
    if not facts.rules.enabled:
        return _with_end(facts, reason, text + "; automatic renewal is off, so nobody tries again", kind)
    if facts.due_at is None:
        return _with_end(facts, reason, text + "; it is not tried again by itself", kind)
    return _with_end(facts, reason, text + f"; tried again {moment(facts.due_at)}", kind)


# ---- not started


def disabled(facts: WhyFacts) -> Why | None:
    """Nobody wants it renewed."""
    if facts.rules.enabled:
        return None
    source = facts.rules.sources.get("enabled", "")
    expired = _expired(facts)
    return Why(
        reason="ExpiredUnrenewed" if expired else "AutoRenewalOff",
        sentence=f"Automatic renewal is off ({source})"
        + (f"; it expired {moment(facts.not_after)}." if expired else "."),
        instruction="Renew it by hand, or switch automatic renewal on.",
    )


def expired(facts: WhyFacts) -> Why | None:
    """Its time is over, and the renewal never started."""
    if not _expired(facts):
        return None
    again = f"; it is tried {moment(facts.due_at)}" if facts.due_at else "; it is not tried any more"
    return Why(
        reason="ExpiredWhileWaiting",
        sentence=f"It expired {moment(facts.not_after)} before its renewal could start{again}.",
        instruction="Renew it by hand now.",
    )


def due(facts: WhyFacts) -> Why | None:
    """It is planned."""
    if facts.due_at is None:
        return None
    how = f" ({facts.plan_sentence})" if facts.plan_sentence else ""
    if facts.due_at <= facts.now:
        sentence = f"It has been due since {moment(facts.due_at)}{how} and starts as soon as a hub takes it."
        return Why(reason="DueNow", sentence=sentence)
    return Why(reason="NotYetDue", sentence=f"It is due {moment(facts.due_at)}{how}.")


def not_planned(_facts: WhyFacts) -> Why | None:
    """Switched on, and the plan is about to be made."""
    return Why(reason="NotPlannedYet", sentence="Automatic renewal is on; its moment is about to be planned.")


CASES: tuple[Case, ...] = (
    not_issued,
    renewed,
    revoked,
    replaced,
    unmanaged,
    waits_for_approval,
    waits_for_validation,
    waits_for_key,
    waits_for_ca,
    waits_for_restart,
    waits_for_installation,
    failed,
    started,
    disabled,
    expired,
    due,
    not_planned,
)


def explain(facts: WhyFacts) -> Why:
    """Answer for a certificate in any state."""
    for case in CASES:
        answer = case(facts)
        if answer is not None:
            return answer
    raise AssertionError("the last case answers always")


def _under_way(facts: WhyFacts) -> SuccessorFacts | None:
    """Return the successor that a renewal waits for; a declined one that was approved after all counts."""
    successor = facts.successor
    if successor is None or successor.status not in _OPEN:
        return None
    if facts.renewal_state == _R.STARTED:
        return successor
    return successor if facts.renewal_state == _R.FAILED and successor.status in _UNDECIDED else None


def _waiting(facts: WhyFacts, reason: str, sentence: str, instruction: str) -> Why:
    if _expired(facts):
        text = f"It expired {moment(facts.not_after)} while {sentence}."
        return Why(
            reason="ExpiredWhileWaiting",
            sentence=text,
            instruction=instruction,
            evidence={"waits_for": reason},
        )
    end = f" It expires {moment(facts.not_after)}." if facts.not_after else ""
    text = f"Renewal is under way: {sentence}.{end}"
    return Why(reason=reason, sentence=text, instruction=instruction)


def _with_end(facts: WhyFacts, reason: str, text: str, kind: FailureKind) -> Why:
    end = "expired" if _expired(facts) else "expires"
    sentence = f"{text}. It {end} {moment(facts.not_after)}." if facts.not_after else f"{text}."
    return Why(reason=reason, sentence=sentence, instruction=FAILURES[kind].instruction)


def _from_agents(successor: SuccessorFacts) -> str:
    if not successor.agents:
        return ""
    names = [
        f"{agent.name} (away since {moment(agent.last_seen_at)})" if not agent.connected else agent.name
        for agent in successor.agents
    ]
    return f" by {', '.join(names)}"


def _agents_instruction(successor: SuccessorFacts) -> str:
    if any(not agent.connected for agent in successor.agents):
        return FAILURES[FailureKind.AGENT_OFFLINE].instruction
    return ""


def _expired(facts: WhyFacts) -> bool:
    return facts.not_after is not None and facts.now >= facts.not_after
