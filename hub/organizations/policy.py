"""May this organization, or department, certify these names? Pure checks over delegations read before.

The most specific delegation of a name wins: who holds ``*.dev.example.com`` takes those names away from who
holds ``*.example.com``, and any real delegation takes its names away from a catch-all. A wildcard certificate
is valid for every name one label below, so that it may not stand over a name that was given to somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from hub.organizations.domain_patterns import covering_patterns, parent_of
from pki.errors import InvalidName
from pki.findings import Finding, first_finding
from pki.names import is_ip_address, normalize_dns_name, normalize_ip_address

Findings = list[Finding]
"""What a decision found; empty: nothing stands against it."""

_TYPE_TEXT = {"ssl": "SSL", "client": "client", "code_signing": "code signing", "device": "device"}


class Holder(NamedTuple):
    """Whom a domain is delegated to; ``department_id`` None: the whole organization."""

    organization_id: int
    department_id: int | None = None


Holders = Mapping[str, frozenset[Holder]]
"""Approved, active delegations for one type of certificate: pattern -> who holds it.

Of names under a wildcard it has those too that the wildcard itself stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameCheck:
    """One normalized name, who asks for it, and the delegations that may have a say."""

    name: str
    asker: Holder
    holders: Holders
    certificate_type: str = "ssl"

    @property
    def winner(self) -> str | None:
        """The most specific delegated pattern that covers the name."""
        return next((item for item in covering_patterns(self.name) if item in self.holders), None)

    def may_use(self, pattern: str) -> bool:
        """Whether the asker holds a pattern: for the department, or for the whole organization."""
        holders = self.holders[pattern]
        return self.asker in holders or Holder(self.asker.organization_id) in holders


def normalize_name(name: str) -> str:
    """Return the stored form of a DNS name or IP address; raise InvalidName."""
    return normalize_ip_address(name) if is_ip_address(name) else normalize_dns_name(name)


def name_not_delegated(check: NameCheck) -> Finding | None:
    """Nobody holds a domain that covers the name for this type of certificate."""
    if check.winner is not None:
        return None
    kind = _TYPE_TEXT.get(check.certificate_type, check.certificate_type)
    return Finding(
        "NameNotDelegated",
        f"{check.name} is under no domain that is delegated to the organization for {kind} certificates",
    )


def name_delegated_elsewhere(check: NameCheck) -> Finding | None:
    """The most specific delegation belongs to other organizations."""
    winner = check.winner
    if winner is None or any(
        holder.organization_id == check.asker.organization_id for holder in check.holders[winner]
    ):
        return None
    # Which organization it is stays unsaid: departments don't learn of one another here.
    return Finding("NameDelegatedElsewhere", f"{check.name} is delegated to another organization")


def name_delegated_to_department(check: NameCheck) -> Finding | None:
    """The most specific delegation belongs to other departments of the same organization."""
    winner = check.winner
    if winner is None or check.may_use(winner):
        return None
    return Finding(
        "NameDelegatedToDepartment",
        f"{check.name} is delegated to "
        + ("another department" if check.asker.department_id else "a department: name it in the request"),
    )


def wildcard_covers_others(check: NameCheck) -> Finding | None:
    """The wildcard would also be valid for a name that was delegated to somebody else."""
    if not check.name.startswith("*."):
        return None
    base = check.name[2:]
    for pattern in sorted(check.holders):
        if parent_of(pattern) == base and not check.may_use(pattern):
            return Finding(
                "WildcardCoversOthers",
                f"{check.name} would also be valid for {pattern}, which is delegated to somebody else",
            )
    return None


NAME_CHECKS = (
    name_not_delegated,
    name_delegated_elsewhere,
    name_delegated_to_department,
    wildcard_covers_others,
)


def check_name(
    name: str, *, asker: Holder, holders: Holders, certificate_type: str = "ssl"
) -> Finding | None:
    """Return why ``asker`` may not certify a name, or None when they may."""
    try:
        normalized = normalize_name(name)
    except InvalidName as fault:
        return Finding("NameMalformed", str(fault))
    return first_finding(
        NAME_CHECKS,
        NameCheck(name=normalized, asker=asker, holders=holders, certificate_type=certificate_type),
    )
