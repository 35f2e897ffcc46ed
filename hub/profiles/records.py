"""The room's typed values: what other rooms and the routes are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class SanRule(StrEnum):
    """How many names a certificate of the profile may carry, and whether wildcards."""

    SINGLE = "single"
    """One name, no wildcard."""
    WILDCARD = "wildcard"
    """One wildcard name, and the name it stands over if wanted."""
    MULTI = "multi"
    """Up to ``max_names`` names, no wildcards."""
    ANY = "any"
    """Up to ``max_names`` names, wildcards among them."""


class SubjectSource(StrEnum):
    """Where an attribute of the subject comes from."""

    ORGANIZATION = "organization"
    """The organization's value; what the request says is ignored."""
    REQUEST = "request"
    """What the request says; the organization's value fills an empty one."""
    OMIT = "omit"
    """The attribute stays out of the subject."""


DEFAULT_SUBJECT_POLICY: Mapping[str, SubjectSource] = {
    "common_name": SubjectSource.REQUEST,
    "organization": SubjectSource.ORGANIZATION,
    "organizational_unit": SubjectSource.OMIT,
    "locality": SubjectSource.ORGANIZATION,
    "state": SubjectSource.ORGANIZATION,
    "country": SubjectSource.ORGANIZATION,
    "email": SubjectSource.OMIT,
}
"""The organization's values fill and win; the name is the applicant's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalPolicy:
    """How certificates renew themselves, as far as they don't say otherwise themselves.

    ``enabled`` for requests that say nothing about it. Due ``days_before`` the end or, if that is None, when
    ``share`` of the lifetime is over; spread over ``jitter_hours`` before that time. ``revoke_after_hours``:
    how long after the successor works the old certificate is revoked; None: never.
    """

    enabled: bool = False
    days_before: int | None = None
    share: float = 0.67
    new_key_pair: bool = True
    jitter_hours: int = 24
    revoke_after_hours: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFields:
    """What an administrator sets on a profile.

    ``key_usage`` and ``extended_key_usage`` are names of RFC 5280 such as ``digitalSignature`` and
    ``serverAuth``; an empty ``key_usage`` means what suits the certificate's key type. ``organization_ids``
    None means every organization.
    """

    name: str
    backend_id: int
    description: str = ""
    certificate_type: str = "ssl"
    trust: str = "private"
    terms_days: tuple[int, ...] = (90, 365)
    key_types: tuple[str, ...] = ("EC-P256", "EC-P384", "RSA-2048", "RSA-3072", "RSA-4096")
    san_rule: SanRule = SanRule.MULTI
    max_names: int = 100
    auto_approve: bool = False
    approvals: int = 1
    sub_type: str = ""
    agreement: str = ""
    renewal: RenewalPolicy = field(default_factory=RenewalPolicy)
    key_usage: tuple[str, ...] = ()
    extended_key_usage: tuple[str, ...] = ("serverAuth",)
    subject_policy: Mapping[str, SubjectSource] = field(default_factory=lambda: dict(DEFAULT_SUBJECT_POLICY))
    organization_ids: frozenset[int] | None = None
    status: str = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRecord(ProfileFields):
    """One certificate profile. ``status``: "active", or "disabled" for one that takes no new requests."""

    id: int
