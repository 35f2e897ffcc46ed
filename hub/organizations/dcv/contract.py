"""What a validation method, a probe, a vantage point and a DNS writer are.

A method is one file: it says what an administrator must do, what is to be looked up, and decides by what was
seen. Looking is done by probes, on this hub or on an agent, so that methods are pure and every vantage point
is judged by the same rule. What a method can do beside giving instructions is said by the optional protocols
:class:`Probed` and :class:`Mailed`.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, Self, runtime_checkable

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import UnitOfWork
from pki.findings import Finding

MAX_VALUE_CHARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One attempt to prove control of a domain.

    ``value`` is the random value (256 bits, 43 characters of base64url, as acme-dns wants them); ``label``
    names the file and tells nothing of the value. ``issuer`` and ``account_uri`` are what a persistent record
    names. E-mail has values of its own, one a recipient.
    """

    domain: str
    label: str
    value: str = field(repr=False)
    issuer: str
    account_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """A record to be published; ``name`` and a CNAME's ``value`` are absolute, without the last dot."""

    name: str
    type: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """What somebody has to do, as text and as the parts that a console shows with a copy button."""

    text: str
    record: DnsRecord | None = None
    file_urls: tuple[str, ...] = ()
    file_content: str = ""
    recipients: tuple[str, ...] = ()


# ---- looking


@dataclass(frozen=True, slots=True)
class TxtLookup:
    """All TXT records of a name."""

    name: str


@dataclass(frozen=True, slots=True)
class CnameLookup:
    """The CNAME of a name, and what that leads to."""

    name: str


@dataclass(frozen=True, slots=True)
class FileLookup:
    """The file at any of these addresses."""

    urls: tuple[str, ...]


Lookup = TxtLookup | CnameLookup | FileLookup


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one vantage point saw. ``values``: TXT values, CNAME targets in order, or the files' contents.

    ``trail`` tells where it looked: name servers, addresses, redirects. ``authenticated``: the resolver says
    that DNSSEC vouches for the answer. ``fault`` is set where nothing was seen.
    """

    values: tuple[str, ...] = ()
    trail: tuple[str, ...] = ()
    fault: Finding | None = None
    authenticated: bool = False
    seen_at: datetime

    def evidence(self) -> dict[str, Any]:
        """Return it as JSON, long values cut."""
        return {
            "values": [value[:MAX_VALUE_CHARS] for value in self.values[:20]],
            "trail": [step[:MAX_VALUE_CHARS] for step in self.trail[:30]],
            "authenticated": self.authenticated,
            "seen_at": self.seen_at.isoformat(),
        }


class Resolver(Protocol):
    """Asks the DNS. None of these raise for what the DNS answers; a fault is part of the sight."""

    async def txt(self, name: str) -> Sight:
        """Return the values of all TXT records, each with its strings joined."""

    async def cname(self, name: str) -> Sight:
        """Return the chain of CNAME targets that begins at ``name``."""


class Fetcher(Protocol):
    """Fetches files without being led to places that are nobody's business."""

    async def fetch(self, url: str) -> Sight:
        """Return the content of a successful answer as the only value."""


@dataclass(frozen=True, slots=True)
class Probes:
    """The means of looking from here."""

    resolver: Resolver
    fetcher: Fetcher


async def look(lookup: Lookup, probes: Probes) -> Sight:
    """Look from this hub."""
    if isinstance(lookup, TxtLookup):
        return await probes.resolver.txt(lookup.name)
    if isinstance(lookup, CnameLookup):
        return await probes.resolver.cname(lookup.name)
    return merged([await probes.fetcher.fetch(url) for url in lookup.urls])


def merged(sights: list[Sight]) -> Sight:
    """Return several addresses' sights as one; the fault counts only if nothing was seen anywhere."""
    values = tuple(value for sight in sights for value in sight.values)
    faults = [sight.fault for sight in sights if sight.fault is not None]
    return Sight(
        values=values,
        trail=tuple(step for sight in sights for step in sight.trail),
        fault=faults[0] if faults and not values else None,
        seen_at=sights[-1].seen_at,
    )


# ---- methods


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Control was shown; ``seen`` is the value that showed it."""

    seen: str
    sight: Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodFacts:
    """What holds for a method, by the Baseline Requirements' section ``section``.

    ``covers_subdomains``: names below the domain, and wildcards, are covered too. ``max_reuse_days`` caps the
    reuse for public trust; from ``ends_at`` on it is not good for public trust at all. ``corroborated``:
    other vantage points can confirm it. ``repeatable``: it can be repeated without a person, as long as the
    record stays.
    """

    name: str
    display_name: str
    section: str
    covers_subdomains: bool
    max_reuse_days: int | None = None
    ends_at: datetime | None = None
    corroborated: bool = True
    repeatable: bool = False


class DcvMethod(Protocol):
    """A way to prove control of a domain. Found by entry points of ``certwright.dcv_methods``."""

    facts: MethodFacts

    def instructions(self, challenge: Challenge) -> Instructions:
        """Return what the administrator must do."""
        ...


@runtime_checkable
class Probed(Protocol):
    """A method that is checked by looking."""

    def lookup(self, challenge: Challenge) -> Lookup:
        """Return what has to be looked up."""
        ...

    def decide(self, challenge: Challenge, sight: Sight, *, at: datetime) -> Proof | Finding:
        """Judge what a vantage point saw."""
        ...


@runtime_checkable
class Writable(Protocol):
    """A method whose record a DNS writer can publish."""

    def record(self, challenge: Challenge) -> DnsRecord:
        """Return the record."""
        ...


@runtime_checkable
class Mailed(Protocol):
    """A method that is confirmed by who reads the domain's mail."""

    def contact_lookup(self, domain: str) -> TxtLookup:
        """Return where the domain may name its contacts."""
        ...

    def recipients(self, domain: str, contacts: Sight | None) -> tuple[str, ...]:
        """Return the addresses that prove control of the domain."""
        ...


async def check(
    method: Probed, challenge: Challenge, probes: Probes, *, at: Callable[[], datetime]
) -> Proof | Finding:
    """Look from here, once, and judge."""
    return method.decide(challenge, await look(method.lookup(challenge), probes), at=at())


def matching(expected: str, values: tuple[str, ...]) -> str | None:
    """Return the value that is the expected one; compares in constant time."""
    wanted = expected.encode()
    found = [value for value in values if hmac.compare_digest(value.strip().encode(), wanted)]
    return found[0] if found else None


# ---- vantage points


@dataclass(frozen=True, slots=True, kw_only=True)
class VantageRecord:
    """An agent as a vantage point; ``problem`` says why it can't be one for an organization."""

    agent_id: str
    name: str
    problem: Finding | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VantageAnswer:
    """What a vantage point saw, for the subject it was asked about."""

    agent_id: str
    subject_id: str
    sight: Sight


AnswerHandler = Callable[[UnitOfWork, VantageAnswer], Awaitable[None]]


class VantagePoint(Protocol):
    """Looking from elsewhere. The answer comes later, in a transaction of its own."""

    async def describe(self, session: AsyncSession, agent_id: str, *, organization_id: int) -> VantageRecord:
        """Return an agent, and whether it can look for the organization."""

    async def ask(
        self, uow: UnitOfWork, *, agent_id: str, lookup: Lookup, subject_id: str, organization_id: int
    ) -> None:
        """Ask an agent to look. The same subject and agent are asked once. Raises HubError: it can't be."""

    def on_answer(self, handler: AnswerHandler) -> None:
        """Have ``handler`` called with every answer, and with the failure of every agent that gave none."""


# ---- DNS writers


class DnsWriter(Protocol):
    """Publishes validation records. Found by entry points of ``certwright.dns_writers``.

    Publishing what is there, and withdrawing what is not, changes nothing. Both raise
    :class:`~hub.organizations.dcv.errors.WriterFailed`.
    """

    kind: str
    display_name: str
    settings_model: type[BaseModel]

    @classmethod
    def open(cls, settings: BaseModel, fetch: JsonPoster) -> Self:
        """Return a writer with these settings."""
        ...

    async def publish(self, record: DnsRecord) -> None:
        """Publish a record."""
        ...

    async def withdraw(self, record: DnsRecord) -> None:
        """Take exactly this record away again."""
        ...


class JsonPoster(Protocol):
    """Posts JSON to an administrator's service; no proxies, no redirects, bounded in size and time."""

    async def __call__(self, url: str, *, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, str]:
        """Return status and text. Raises WriterFailed: the service can't be reached."""
        ...


# ---- mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message in plain text."""

    to: str
    subject: str
    text: str = field(repr=False)


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail) -> None:
        """Hand a message to the mail server. Raises MailNotSent."""
