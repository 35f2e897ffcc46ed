"""What is looked at to say what a certificate's next renewal hangs on, and what a link of that chain is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class LinkState(StrEnum):
    """How a link is."""

    OK = "ok"
    AT_RISK = "at_risk"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link. ``name`` is a stable word; ``message`` and ``remedy`` are for people."""

    name: str
    title: str
    state: LinkState
    message: str
    remedy: str = ""
    since: datetime | None = None
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFacts:
    """A name of public trust and until when its validation counts; None: it is not validated."""

    name: str
    valid_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """An agent that the renewal needs. ``keeps_key``: it makes or has the key."""

    id: str
    name: str
    connected: bool
    last_seen_at: datetime | None
    status: str = "active"
    keeps_key: bool = False
    installs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaFacts:
    """A quota of the CA and what of it was used in the running period."""

    period: str
    limit: int
    used: int
    frees_at: datetime | None = None

    @property
    def left(self) -> int:
        """How many certificates may be issued now."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaFacts:
    """The CA: how its last orders went, and when its own certificate ends (only of private ones)."""

    name: str
    status: str = "active"
    last_issued_at: datetime | None = None
    failing_since: datetime | None = None
    failing_message: str = ""
    ends_at: datetime | None = None
    quotas: tuple[QuotaFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessorFacts:
    """The certificate that is to follow, as far as there is one."""

    id: int
    status: str
    requested_at: datetime | None = None
    approvals_given: int = 0
    approvals_needed: int = 1
    approvers: str = ""
    message: str = ""
    install_state: str = ""
    issued_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalFacts:
    """How the renewal itself is."""

    automatic: bool
    state: str = ""
    due_at: datetime | None = None
    attempts: int = 0
    failed_since: datetime | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedFacts:
    """A freeze that the certificate meets before its end."""

    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known. ``not_after`` is of the certificate that is served now."""

    now: datetime
    not_after: datetime
    managed: bool = True
    names: tuple[NameFacts, ...] = ()
    ca: CaFacts | None = None
    renewal: RenewalFacts = field(default_factory=lambda: RenewalFacts(automatic=False))
    successor: SuccessorFacts | None = None
    agents: tuple[AgentFacts, ...] = ()
    freezes: tuple[ClosedFacts, ...] = ()
    approval_needed: bool = False

    @property
    def due_at(self) -> datetime:
        """When the renewal is to begin, if nobody moves it: at the latest at the end."""
        return max(self.now, min(self.renewal.due_at or self.not_after, self.not_after))

    @property
    def hours_left(self) -> float:
        """Hours until an outage if nothing works from now on; negative: since it began."""
        return (self.not_after - self.now) / timedelta(hours=1)
