"""What to do with a certificate whose renewal is due: one ordered table, decided without input or output.

The engine and the simulation of years share it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.lifecycle.requests import BY_ITSELF, Installation, Method
from hub.lifecycle.states import CertificateStatus, InstallState
from hub.renewals.plan import RenewalRules

EXPIRED_GRACE = timedelta(days=7)
"""An expired certificate is still renewed for so long: what is down wants to come back by itself."""

_S = CertificateStatus
_RENEWABLE = frozenset({_S.ISSUED, _S.DOWNLOADED, _S.EXTERNAL, _S.EXPIRED})
_FOUND = frozenset({_S.EXTERNAL, _S.UNMANAGED})
_OPEN = frozenset({_S.REQUESTED, _S.APPROVED, _S.APPLIED})
_LIVE = frozenset({_S.ISSUED, _S.DOWNLOADED})
_BEING_INSTALLED = frozenset({InstallState.SCHEDULED, InstallState.STARTED, InstallState.RESTART_REQUIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """The last request that was to renew a certificate."""

    id: int
    status: str
    install_state: str = ""
    installs_itself: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DueFacts:
    """What decides about a renewal that is due.

    ``closed_until`` is set while the calendar forbids to start. ``has_csr``: a signing request is stored.
    ``knows_how``: of a found certificate, its settings say with what it is renewed.
    """

    now: datetime
    status: str
    not_after: datetime
    rules: RenewalRules
    method: str
    installation: str = ""
    install_state: str = ""
    has_csr: bool = True
    knows_how: bool = False
    successor: Successor | None = None
    closed_until: datetime | None = None
    closed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Ask for a successor. ``note`` tells what was decided differently from the settings."""

    new_key_pair: bool
    installation: Installation | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """There is nothing to renew any more."""

    reason: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """Not now."""

    until: datetime
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """A successor is on its way already."""

    successor_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallAgain:
    """The successor is there, and could not be installed."""

    successor_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The successor is there, and serves or waits for somebody's hand."""

    successor_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Impossible:
    """It can't be asked for; a stable word and a sentence."""

    reason: str
    message: str


Decision = Start | Cancel | PutOff | Join | InstallAgain | Done | Impossible
Check = Callable[[DueFacts], Decision | None]


def no_longer_wanted(facts: DueFacts) -> Decision | None:
    """Switched off meanwhile, or nothing that could be renewed."""
    if facts.status not in _RENEWABLE:
        return Cancel(reason=f"Is{facts.status}", sentence=f"the certificate is {facts.status.lower()}")
    if not facts.rules.enabled:
        return Cancel(reason="AutoRenewalOff", sentence="automatic renewal is switched off")
    if facts.now > facts.not_after + EXPIRED_GRACE:
        days = EXPIRED_GRACE.days
        return Cancel(reason="ExpiredTooLongAgo", sentence=f"it expired more than {days} days ago")
    return None


def already_under_way(facts: DueFacts) -> Decision | None:
    """A successor exists: go on with it instead of asking for another."""
    successor = facts.successor
    if successor is None:
        return None
    if successor.status in _OPEN:
        return Join(successor_id=successor.id)
    if successor.status not in _LIVE:
        return None
    if not successor.installs_itself or successor.install_state == InstallState.SUCCESSFUL:
        return Done(successor_id=successor.id)
    if successor.install_state in _BEING_INSTALLED:
        return Join(successor_id=successor.id)
    return InstallAgain(successor_id=successor.id)


def closed_now(facts: DueFacts) -> Decision | None:
    """A freeze, or no maintenance window, and it can safely wait."""
    if facts.closed_until is None:
        return None
    return PutOff(until=facts.closed_until, sentence=facts.closed_by)


def without_instructions(facts: DueFacts) -> Decision | None:
    """A found certificate whose settings don't say how it is renewed."""
    if facts.status not in _FOUND or facts.knows_how:
        return None
    message = "it was found, not issued here: say with which profile, term and key it is to be renewed"
    return Impossible(reason="NotRenewable", message=message)


def without_signing_request(facts: DueFacts) -> Decision | None:
    """Somebody else has the key, and there is no signing request to use again."""
    if facts.method != Method.CSR or facts.status in _FOUND:
        return None
    if not facts.has_csr:
        message = "the key is not managed here, and there is no signing request to use again"
        return Impossible(reason="NewSigningRequestNeeded", message=message)
    return None


def start(facts: DueFacts) -> Decision:
    """Ask for the successor, with what the settings want as far as it can be done without anybody's hand."""
    if facts.method == Method.CSR and facts.status not in _FOUND:
        note = "the same signing request: the key is not managed here" if facts.rules.new_key_pair else ""
        return Start(new_key_pair=False, note=note)
    new_key_pair = facts.rules.new_key_pair or not facts.has_csr or facts.status in _FOUND
    if facts.method != Method.AUTO_INSTALL or facts.installation in BY_ITSELF:
        return Start(new_key_pair=new_key_pair)
    if facts.install_state == InstallState.SUCCESSFUL:
        note = "installed at once, since its predecessor is installed"
        return Start(new_key_pair=new_key_pair, installation=Installation.IMMEDIATE, note=note)
    return Start(new_key_pair=new_key_pair, note="waits for its installation to be triggered")


CHECKS: tuple[Check, ...] = (
    no_longer_wanted,
    already_under_way,
    closed_now,
    without_instructions,
    without_signing_request,
)
"""In this order; the first that has an answer decides."""


def decide(facts: DueFacts) -> Decision:
    """Return what to do with a certificate whose renewal is due."""
    for check in CHECKS:
        decision = check(facts)
        if decision is not None:
            return decision
    return start(facts)
