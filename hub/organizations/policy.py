"""May this organization certify these names? Pure checks over delegations that were read before.

The most specific delegation of a name wins: who holds ``*.dev.example.com`` takes those names away from who
holds ``*.example.com``, and any real delegation takes its names away from a catch-all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.organizations.domain_patterns import covering_patterns
from pki.errors import InvalidName
from pki.findings import Finding, first_finding
from pki.names import is_ip_address, normalize_dns_name, normalize_ip_address

Findings = list[Finding]
"""What a decision found; empty: nothing stands against it."""

Holders = Mapping[str, frozenset[int]]
"""Approved, active delegations: pattern -> ids of the organizations that hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameCheck:
    """One normalized name, who asks for it, and the delegations that may cover it."""

    name: str
    organization_id: int
    holders: Holders

    @property
    def winner(self) -> str | None:
        """The most specific delegated pattern that covers the name."""
        return next((item for item in covering_patterns(self.name) if item in self.holders), None)


def normalize_name(name: str) -> str:
    """Return the stored form of a DNS name or IP address; raise InvalidName."""
    return normalize_ip_address(name) if is_ip_address(name) else normalize_dns_name(name)


def name_not_delegated(check: NameCheck) -> Finding | None:
    """No organization holds a domain that covers the name."""
    if check.winner is not None:
        return None
    return Finding(
        "NameNotDelegated", f"{check.name} is under no domain that is delegated to the organization"
    )


def name_delegated_elsewhere(check: NameCheck) -> Finding | None:
    """The most specific delegation belongs to others."""
    winner = check.winner
    if winner is None or check.organization_id in check.holders[winner]:
        return None
    # Which organization it is stays unsaid: departments don't learn of one another here.
    return Finding("NameDelegatedElsewhere", f"{check.name} is delegated to another organization")


NAME_CHECKS = (name_not_delegated, name_delegated_elsewhere)


def check_name(name: str, *, organization_id: int, holders: Holders) -> Finding | None:
    """Return why the organization may not certify a name, or None when it may."""
    try:
        normalized = normalize_name(name)
    except InvalidName as fault:
        return Finding("NameMalformed", str(fault))
    return first_finding(
        NAME_CHECKS, NameCheck(name=normalized, organization_id=organization_id, holders=holders)
    )
