"""The room's typed values: what other rooms and the routes are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class SanRule(StrEnum):
    """How many names a certificate of the profile may carry, and whether wildcards."""

    SINGLE = "single"
    """One name, no wildcard; with ``www_included`` also the same name after ``www.``."""
    WILDCARD = "wildcard"
    """One wildcard name, and the name it stands over if wanted."""
    MULTI = "multi"
    """From ``min_names`` to ``max_names`` names, no wildcards."""
    ANY = "any"
    """From ``min_names`` to ``max_names`` names, wildcards among them."""


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

DOMAIN_VALIDATED_SUBJECT_POLICY: Mapping[str, SubjectSource] = {
    name: SubjectSource.REQUEST if name == "common_name" else SubjectSource.OMIT
    for name in DEFAULT_SUBJECT_POLICY
}
"""A public CA that has seen the domain only says nothing of the organization."""


def default_subject_policy(trust: str, sub_type: str) -> Mapping[str, SubjectSource]:
    """Return what stands in the subject where the administrator says nothing about it."""
    if trust == "public" and sub_type == "DV":
        return DOMAIN_VALIDATED_SUBJECT_POLICY
    return DEFAULT_SUBJECT_POLICY


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
    None means every organization. ``ip_addresses`` and ``internal_names`` (single labels and names below no
    public suffix) None: allowed where the trust is private. The common name counts as one of the names.
    ``backup_backend_ids``: CA backends that are taken in this order when the first can't be had and nothing
    was ordered there.
    """

    name: str
    backend_id: int
    backup_backend_ids: tuple[int, ...] = ()
    cost_note: str = ""
    description: str = ""
    certificate_type: str = "ssl"
    trust: str = "private"
    terms_days: tuple[int, ...] = (90, 365)
    key_types: tuple[str, ...] = ("EC-P256", "EC-P384", "RSA-2048", "RSA-3072", "RSA-4096")
    san_rule: SanRule = SanRule.MULTI
    min_names: int = 1
    max_names: int = 100
    www_included: bool = False
    ip_addresses: bool | None = None
    internal_names: bool | None = None
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

    @property
    def is_public(self) -> bool:
        """Whether browsers trust the CA, so that the rules of the CA/Browser Forum hold."""
        return self.trust == "public"

    @property
    def takes_ip_addresses(self) -> bool:
        """Whether a certificate may carry IP addresses."""
        return not self.is_public if self.ip_addresses is None else self.ip_addresses

    @property
    def takes_internal_names(self) -> bool:
        """Whether a certificate may carry names that nobody outside can resolve."""
        return not self.is_public if self.internal_names is None else self.internal_names


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRecord(ProfileFields):
    """One certificate profile. ``status``: "active", or "disabled" for one that takes no new requests."""

    id: int
