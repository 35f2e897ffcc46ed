"""Revoking what was renewed, some time after its successor works: when, and whether it is safe by then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.lifecycle.requests import Method
from hub.lifecycle.states import CertificateStatus, InstallState

AGAIN = timedelta(hours=24)
"""When the old certificate is still in use somewhere, it is looked at again after this time."""
_S = CertificateStatus
_REVOCABLE = frozenset({_S.ISSUED, _S.DOWNLOADED, _S.REPLACED})
_LIVE = frozenset({_S.ISSUED, _S.DOWNLOADED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirementFacts:
    """A certificate whose grace time is over, and its successor (statuses empty: it is gone)."""

    now: datetime
    status: str
    not_after: datetime
    successor_status: str
    successor_method: str
    successor_install_state: str
    seen_somewhere: bool


def works(*, method: str, install_state: str) -> bool:
    """Whether a successor serves: verified where agents install it; elsewhere being issued is all we know."""
    return method != Method.AUTO_INSTALL or install_state == InstallState.SUCCESSFUL


def retire_now(facts: RetirementFacts) -> bool | datetime:
    """Return True: revoke; False: never mind; a time: look again then.

    A certificate that some server was seen to show is not revoked: that would be the outage.
    """
    if facts.status not in _REVOCABLE or facts.not_after <= facts.now:
        return False
    if facts.successor_status not in _LIVE:
        return False
    serves = works(method=facts.successor_method, install_state=facts.successor_install_state)
    if not serves or facts.seen_somewhere:
        return facts.now + AGAIN
    return True
