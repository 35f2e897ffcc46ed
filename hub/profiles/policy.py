"""Does a request fit its profile? Ordered, pure checks; the reason of each is what API and console show.

What the CSR itself says is judged by :mod:`pki.csr_policy`, who may certify a name by the organizations room.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from hub.organizations.domain_patterns import is_public_suffix
from hub.profiles.records import ProfileRecord, SanRule
from hub.profiles.terms import public_term_fault
from pki.errors import InvalidName
from pki.findings import Finding, all_findings
from pki.names import is_ip_address, normalize_dns_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileCheckInput:
    """A request as the checks see it. ``names`` are DNS names and IP addresses, the common name included.

    ``on`` is the day of the request, by which public trust limits the term; None: the limit is not asked.
    """

    profile: ProfileRecord
    organization_id: int
    key_type: str
    names: tuple[str, ...]
    term_days: int
    on: date | None = None


def _list(values: tuple[str, ...] | tuple[int, ...]) -> str:
    return ", ".join(str(value) for value in values)


def _wildcards(check: ProfileCheckInput) -> list[str]:
    return [name for name in check.names if name.startswith("*.")]


def profile_disabled(check: ProfileCheckInput) -> Finding | None:
    """The profile takes no new requests."""
    if check.profile.status == "active":
        return None
    return Finding("ProfileDisabled", f"the profile {check.profile.name} takes no new requests")


def organization_not_allowed(check: ProfileCheckInput) -> Finding | None:
    """The profile is for other organizations."""
    allowed = check.profile.organization_ids
    if allowed is None or check.organization_id in allowed:
        return None
    return Finding("OrganizationNotAllowed", f"the profile {check.profile.name} is not for this organization")


def key_type_not_allowed(check: ProfileCheckInput) -> Finding | None:
    """The key is of a type that the profile leaves out."""
    if check.key_type in check.profile.key_types:
        return None
    return Finding(
        "KeyTypeNotAllowed",
        f"{check.key_type} keys are not allowed by this profile; choose one of"
        f" {_list(check.profile.key_types)}",
    )


def term_not_offered(check: ProfileCheckInput) -> Finding | None:
    """The term is not among the profile's terms."""
    if check.term_days in check.profile.terms_days:
        return None
    return Finding(
        "TermNotOffered",
        f"a term of {check.term_days} days is not offered; choose one of {_list(check.profile.terms_days)}",
    )


def term_too_long_now(check: ProfileCheckInput) -> Finding | None:
    """A term that the profile offers, but that no public CA issues any more."""
    if check.on is None or not check.profile.is_public:
        return None
    fault = public_term_fault(check.term_days, check.on)
    return None if fault is None else Finding("TermTooLongNow", fault)


def names_missing(check: ProfileCheckInput) -> Finding | None:
    """A server certificate without a name."""
    return None if check.names else Finding("NamesMissing", "the certificate needs at least one name")


def name_malformed(check: ProfileCheckInput) -> Finding | None:
    """A name that can't be certified whoever asks."""
    for name in check.names:
        try:
            if not is_ip_address(name):
                normalize_dns_name(name)
        except InvalidName as fault:
            return Finding("NameMalformed", str(fault))
    return None


def too_many_names(check: ProfileCheckInput) -> Finding | None:
    """More names than the profile allows."""
    profile = check.profile
    single = 2 if profile.www_included else 1
    limit = {SanRule.SINGLE: single, SanRule.WILDCARD: 2}.get(profile.san_rule, profile.max_names)
    if len(check.names) <= limit:
        return None
    allowed = "one name" if limit == 1 else f"{limit} names"
    return Finding("TooManyNames", f"the profile allows {allowed}, the request has {len(check.names)}")


def too_few_names(check: ProfileCheckInput) -> Finding | None:
    """Fewer names than the profile asks for."""
    needed = check.profile.min_names
    if not check.names or len(check.names) >= needed:
        return None
    return Finding(
        "TooFewNames",
        f"the profile asks for at least {needed} names, the common name included;"
        f" the request has {len(check.names)}",
    )


def names_of_two_hosts(check: ProfileCheckInput) -> Finding | None:
    """Two names under a profile for one, which takes only ``www.`` and what follows it for one."""
    if check.profile.san_rule is not SanRule.SINGLE or len(check.names) != 2:
        return None
    longer, shorter = sorted(check.names, key=len, reverse=True)
    if not check.profile.www_included or longer == f"www.{shorter}":
        return None
    return Finding("NamesUnrelated", f"beside {shorter} only www.{shorter} can be in this certificate")


def wildcard_not_allowed(check: ProfileCheckInput) -> Finding | None:
    """A wildcard where the profile has none."""
    wildcards = _wildcards(check)
    if not wildcards or check.profile.san_rule in {SanRule.WILDCARD, SanRule.ANY}:
        return None
    return Finding("WildcardNotAllowed", f"{wildcards[0]}: the profile allows no wildcard names")


def wildcard_expected(check: ProfileCheckInput) -> Finding | None:
    """A wildcard profile certifies one wildcard, and with it only the name that it stands over."""
    if check.profile.san_rule is not SanRule.WILDCARD or not check.names:
        return None
    wildcards = _wildcards(check)
    if len(wildcards) != 1:
        return Finding("WildcardExpected", "the profile is for exactly one wildcard name")
    strangers = set(check.names) - {wildcards[0], wildcards[0][2:]}
    if not strangers:
        return None
    return Finding(
        "WildcardExpected",
        f"{min(strangers)}: beside {wildcards[0]} only {wildcards[0][2:]} can be in this certificate",
    )


def _is_internal(name: str) -> bool:
    # A wildcard is judged as what it stands over: *.co.uk is nobody's.
    base = name.removeprefix("*.")
    return not is_public_suffix(base.rpartition(".")[2]) or is_public_suffix(base)


def name_not_public(check: ProfileCheckInput) -> Finding | None:
    """A name that no publicly trusted CA certifies: internal, or an IP address."""
    if not check.profile.is_public:
        return None
    for name in check.names:
        if is_ip_address(name) or _is_internal(name):
            return Finding("NameNotPublic", f"{name} can't be in a publicly trusted certificate")
    return None


def ip_address_not_allowed(check: ProfileCheckInput) -> Finding | None:
    """An IP address where the profile takes names only."""
    if check.profile.is_public or check.profile.takes_ip_addresses:
        return None
    for name in check.names:
        if is_ip_address(name):
            return Finding("IpAddressNotAllowed", f"{name}: the profile allows no IP addresses")
    return None


def internal_name_not_allowed(check: ProfileCheckInput) -> Finding | None:
    """A single label or a name below no public suffix, where the profile takes none."""
    if check.profile.is_public or check.profile.takes_internal_names:
        return None
    for name in check.names:
        if not is_ip_address(name) and _is_internal(name):
            return Finding("InternalNameNotAllowed", f"{name}: the profile allows no internal names")
    return None


PROFILE_CHECKS: tuple[Callable[[ProfileCheckInput], Finding | None], ...] = (
    profile_disabled,
    organization_not_allowed,
    key_type_not_allowed,
    term_not_offered,
    term_too_long_now,
    names_missing,
    name_malformed,
    too_many_names,
    too_few_names,
    names_of_two_hosts,
    wildcard_not_allowed,
    wildcard_expected,
    name_not_public,
    ip_address_not_allowed,
    internal_name_not_allowed,
)
"""In this order; all that fail are reported."""


def check_request(check: ProfileCheckInput) -> list[Finding]:
    """Return everything about a request that the profile does not allow, in the order of the checks."""
    return list(all_findings(PROFILE_CHECKS, check))
