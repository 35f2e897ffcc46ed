"""What a CA backend is: the port between the lifecycle and any CA.

A backend is one file, found by the entry point group ``certwright.ca_backends``. It has three duties; what
else it can do it says by implementing one of the one-method capability protocols below, so that the hub asks
before it offers a button.

Issuance takes two steps so that a crash can't issue twice: :meth:`CaBackend.prepare` fixes everything that
identifies the order (for the private CA: serial, dates, the exact TBSCertificate; for a remote CA: an
idempotency key) and the hub commits that *intent* before :meth:`CaBackend.submit` performs the irreversible
act. ``submit`` is given the same intent again after a crash and must lead to the same certificate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from pydantic import BaseModel

from hub.db.clock import Clock
from hub.organizations.dcv.challenge_answering import ChallengeAgents, DnsWriters

if TYPE_CHECKING:
    from hub.issuers.private_ca.ports import AuthorityKeeper


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateOrder:
    """What the lifecycle orders, already checked against the profile and its policies.

    ``csr`` is DER and its signature has been verified. ``subject`` maps attribute names (common_name,
    organization, organizational_unit, locality, state, country, email) to values. ``not_before`` is the hub's
    time of the order. ``not_after`` shortens the term where certificates end on one day of the month; a CA
    that can't be told a date goes by ``term_days``. Usages are names of RFC 5280 (``digitalSignature``,
    ``serverAuth``); an empty ``key_usage`` means what suits the key. ``replaces`` is the DER of the
    certificate that this one takes the place of; only :meth:`CaBackend.prepare` is told it.
    """

    order_id: str
    certificate_type: str
    csr: bytes
    subject: dict[str, str]
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    term_days: int
    key_usage: tuple[str, ...] = ()
    extended_key_usage: tuple[str, ...] = ("serverAuth",)
    not_before: datetime
    not_after: datetime | None = None
    replaces: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is recorded before the irreversible act. ``document`` is the backend's own JSON."""

    serial_hex: str | None
    document: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """The CA signed: DER certificates, leaf first, then issuers up to and including the root if known."""

    chain: tuple[bytes, ...]
    order_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The CA has the order and has not decided; ask again after ``retry_after_s``.

    ``document`` replaces the intent's, and is committed before the next :meth:`CaBackend.submit`: what a
    backend learnt so far (the address of an order, say) that keeps it from ordering twice. ``waits_for`` is a
    sentence for people.
    """

    order_number: str
    retry_after_s: int
    document: dict[str, str] | None = None
    waits_for: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The CA said no, in its own words. ``invalid``: the order was wrong, rather than forbidden."""

    reason: str
    message: str
    invalid: bool


SubmitOutcome = Issued | Pending | Refused


class Keepsakes(Protocol):
    """What a backend wants to find again after a restart, on any replica; encrypted under the hub's key."""

    async def get(self, name: str) -> bytes | None:
        """Return what is kept under a name."""
        ...

    async def put_if_absent(self, name: str, value: bytes) -> bytes:
        """Keep a value unless there is one; return the one that is kept."""
        ...

    async def swap(self, name: str, old: bytes, new: bytes) -> bool:
        """Replace a value if it is still the old one; return whether it was."""
        ...

    async def under(self, prefix: str) -> dict[str, bytes]:
        """Return everything whose name begins with ``prefix``."""
        ...

    async def count_since(self, prefix: str, since: datetime) -> int:
        """Return how many of these names were first kept at or after a time."""
        ...

    async def drop_before(self, prefix: str, before: datetime) -> None:
        """Forget those that were first kept before a time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendContext:
    """What the hub gives a backend when it opens it.

    ``authorities`` holds keys and revocations for backends that sign themselves, ``keepsakes`` what a backend
    has to remember; ``dns`` and ``agents`` prove control of names to CAs that ask for it; ``programs`` is the
    folder of programs that may be called. None: not here.
    """

    backend_id: int
    name: str
    clock: Clock
    authorities: AuthorityKeeper
    keepsakes: Keepsakes | None = None
    dns: DnsWriters | None = None
    agents: ChallengeAgents | None = None
    programs: Path | None = None


class CaBackend(Protocol):
    """A CA that certificates can be ordered from. One instance serves one configured CA."""

    kind: str
    settings_model: type[BaseModel]

    @classmethod
    def open(cls, settings: BaseModel, context: BackendContext) -> Self:
        """Return a backend for settings that ``settings_model`` has validated; connects to nothing yet."""
        ...

    async def prepare(self, order: CertificateOrder) -> Intent:
        """Fix everything that identifies the order, without any effect outside.

        Raises:
            PolicyViolation: the CA can't issue this (key type, term beyond the CA's own expiry ...).
        """
        ...

    async def submit(self, order: CertificateOrder, intent: Intent) -> SubmitOutcome:
        """Perform the order, or find out what became of it; safe to repeat with the same intent.

        Raises:
            Unavailable: the CA can't be reached now; the hub tries again later.
        """
        ...

    async def test(self) -> None:
        """Check settings and connection; raises what is wrong."""
        ...


@runtime_checkable
class CanRevoke(Protocol):
    """A CA that revokes."""

    async def revoke(self, serial_hex: str, *, reason: str, at: datetime) -> None:
        """Revoke by serial number with an RFC 5280 section 5.3.1 reason name. Repeating is no error."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalInfo:
    """When a CA would have a certificate renewed (RFC 9773, 4.2), and when to ask again."""

    start: datetime
    end: datetime
    explanation_url: str = ""
    retry_after_s: int = 6 * 3600


@runtime_checkable
class HasRenewalInfo(Protocol):
    """A CA that says when to renew."""

    async def renewal_info(self, certificate_der: bytes, issuer_der: bytes) -> RenewalInfo | None:
        """Return the CA's window for a certificate; None where it has none.

        Raises:
            Unavailable: the CA can't be asked now; renewal goes on by the hub's own rules.
        """
        ...


@runtime_checkable
class HasAccountKey(Protocol):
    """A CA that knows the hub by a key that the hub made itself."""

    async def roll_over_account_key(self) -> str:
        """Replace the key at the CA by a new one; return what identifies that. Safe to repeat after a crash.

        Raises:
            BackendRefused, Unavailable: it can't be done, or not now.
        """
        ...
