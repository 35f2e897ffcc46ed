"""May a public certificate carry these names now? Pure checks over proofs, and reading the proofs.

A name is covered by a proof of itself, or of a domain above it by a method that covers subdomains; a wildcard
only by such a method, at its own base or above. Any organization's proof counts: it shows that the hub's
owners control the domain. Which organization may use the name is delegation's matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.organizations.dcv.assets import proof_time
from hub.organizations.dcv.clock import LONGEST_REUSE, Outlook, outlook, reuse_until
from hub.organizations.dcv.models import DcvChallenge, DcvValidation
from hub.organizations.dcv.records import ProofRecord
from hub.organizations.dcv.registry import Methods, installed_methods
from hub.organizations.dcv.states import ChallengeState
from hub.organizations.domain_patterns import is_public_suffix
from pki.findings import Finding
from pki.names import is_ip_address

REASON = "DomainNotValidated"
Proofs = Mapping[str, Sequence[ProofRecord]]
"""By domain."""


def covering_domains(name: str) -> tuple[str, ...]:
    """Return the domains whose validation may cover a name, the name's own first, down to the registrable."""
    labels = name.removeprefix("*.").split(".")
    domains = (".".join(labels[start:]) for start in range(len(labels)))
    return tuple(domain for domain in domains if not is_public_suffix(domain))


def covers(proof: ProofRecord, name: str) -> bool:
    """Tell whether a proof covers a name, leaving time aside."""
    if name == proof.domain:
        return True
    below = name.removeprefix("*.") == proof.domain or name.endswith("." + proof.domain)
    return below and proof.covers_subdomains


def not_validated(name: str, proofs: Proofs, *, at: datetime) -> Finding | None:
    """Return why no public certificate may carry the name at a time, with what to do about it."""
    if is_ip_address(name):
        return Finding(
            REASON, f"{name}: IP addresses can't be validated here; use a profile of private trust"
        )
    domains = covering_domains(name)
    if not domains:
        return Finding(REASON, f"{name} is under a public suffix alone: nobody can show control of it")
    candidates = [proof for domain in domains for proof in proofs.get(domain, ())]
    fitting = [proof for proof in candidates if covers(proof, name)]
    if any(proof.time.validated_at <= at < reuse_until(proof.time) for proof in fitting):
        return None
    registrable = domains[-1]
    if fitting:
        latest = max(fitting, key=lambda proof: reuse_until(proof.time))
        return Finding(
            REASON,
            f"{name}: control of {latest.domain} was shown on {latest.time.validated_at:%Y-%m-%d}, which"
            f" counts until {reuse_until(latest.time):%Y-%m-%d} only; validate {latest.domain} again",
        )
    if candidates:
        return Finding(
            REASON,
            f"{name}: {candidates[0].domain} is validated by a file, which covers that one name; validate"
            f" {registrable} by DNS or e-mail",
        )
    return Finding(
        REASON, f"{name}: control of {registrable} is not validated; start its validation under Domains"
    )


async def read_proofs(
    session: AsyncSession, domains: Iterable[str], *, at: datetime, methods: Methods | None = None
) -> dict[str, list[ProofRecord]]:
    """Return the proofs of domains that could count for a public certificate at a time, by domain."""
    known = installed_methods() if methods is None else methods
    wanted = sorted(set(domains))
    rows = await session.execute(
        select(
            DcvValidation.domain,
            DcvChallenge.method,
            DcvChallenge.covers_subdomains,
            DcvChallenge.ended_at,
        )
        .join(DcvChallenge, DcvChallenge.validation_id == DcvValidation.id)
        .where(
            DcvValidation.domain.in_(wanted),
            DcvChallenge.state == ChallengeState.PROVED,
            DcvChallenge.ended_at > at - LONGEST_REUSE,
        )
    )
    found: dict[str, list[ProofRecord]] = defaultdict(list)
    for row in rows:
        # The limits of a method that is not installed any more are not known: it counts for nothing.
        if row.method in known:
            found[row.domain].append(
                ProofRecord(
                    domain=row.domain,
                    method=row.method,
                    covers_subdomains=row.covers_subdomains,
                    time=proof_time(known[row.method].facts, row.ended_at),
                )
            )
    return found


async def names_not_validated(session: AsyncSession, names: Sequence[str], *, at: datetime) -> list[Finding]:
    """Return why names may not stand in a public certificate issued at a time; normalized names only."""
    domains = {domain for name in names if not is_ip_address(name) for domain in covering_domains(name)}
    proofs = await read_proofs(session, domains, at=at)
    findings = (not_validated(name, proofs, at=at) for name in dict.fromkeys(names))
    return [finding for finding in findings if finding is not None]


async def validation_of(session: AsyncSession, name: str, *, at: datetime) -> ProofRecord | None:
    """Return the proof that covers a name for the longest time, or None when none does at that time."""
    proofs = await read_proofs(session, covering_domains(name), at=at)
    fitting = [
        proof
        for group in proofs.values()
        for proof in group
        if covers(proof, name) and proof.time.validated_at <= at < reuse_until(proof.time)
    ]
    return max(fitting, key=lambda proof: reuse_until(proof.time), default=None)


async def outlook_of(session: AsyncSession, name: str, *, at: datetime, now: datetime) -> Outlook:
    """Tell whether a public certificate for a name, issued at ``at``, would find it validated.

    A renewal's date goes in; what comes out says by when the name must be validated again.
    """
    proofs = await read_proofs(session, covering_domains(name), at=min(at, now))
    times = [proof.time for group in proofs.values() for proof in group if covers(proof, name)]
    return outlook(times, at)
