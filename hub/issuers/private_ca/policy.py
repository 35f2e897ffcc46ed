"""Can the built-in CA fulfil an order? Ordered, pure checks, whose reasons API and console show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hub.issuers.contract import CertificateOrder
from hub.issuers.private_ca.leaf_templates import LEAF_TEMPLATES
from pki.findings import Finding
from pki.name_constraints import name_outside
from pki.templates import NameConstraints, Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafCheckInput:
    """An order and the CA that is to fulfil it, as the checks see them."""

    order: CertificateOrder
    validity: Validity
    issuer_not_before: datetime
    issuer_not_after: datetime
    trial_until: datetime | None = None
    """When the CA's trial is over; None: it is not in trial mode."""
    constraints: NameConstraints | None = None
    """What the CA may certify; None: everything."""


def type_not_offered(check: LeafCheckInput) -> Finding | None:
    """A certificate type that no template is for."""
    if check.order.certificate_type in LEAF_TEMPLATES:
        return None
    return Finding(
        "CertificateTypeNotOffered", f"the private CA issues no {check.order.certificate_type} certificates"
    )


def usage_not_of_type(check: LeafCheckInput) -> Finding | None:
    """Extended key usages that certificates of another type have: one key must not serve for both."""
    template = LEAF_TEMPLATES[check.order.certificate_type]
    foreign = [usage for usage in check.order.extended_key_usage if usage in template.forbidden]
    if foreign:
        return Finding(
            "UsageNotOfType", f"{', '.join(foreign)} has no place in a {template.title} certificate"
        )
    if not template.needed or template.needed & set(check.order.extended_key_usage):
        return None
    return Finding(
        "UsageMissing", f"a {template.title} certificate needs {' or '.join(sorted(template.needed))}"
    )


def names_missing(check: LeafCheckInput) -> Finding | None:
    """Clients look for a server's names in the subject alternative name only; others need a subject."""
    order = check.order
    if order.dns_names or order.ip_addresses:
        return None
    if order.certificate_type == "ssl":
        return Finding("NamesMissing", "a server certificate needs a DNS name or an IP address")
    if order.emails or order.subject.get("common_name") or order.subject.get("organization"):
        return None
    return Finding("NamesMissing", "the certificate would name nobody")


def trial_over(check: LeafCheckInput) -> Finding | None:
    """A CA whose trial is over issues nothing; what it issued goes on."""
    if check.trial_until is None or check.order.not_before <= check.trial_until:
        return None
    return Finding(
        "TrialOver",
        f"the trial of this CA ended on {check.trial_until:%Y-%m-%d}: extend it, or leave trial mode",
    )


def name_not_permitted(check: LeafCheckInput) -> Finding | None:
    """A name outside of the CA's name constraints: no client would take the certificate."""
    if check.constraints is None:
        return None
    order = check.order
    outside = name_outside(check.constraints, dns_names=order.dns_names, ip_addresses=order.ip_addresses)
    if outside is None:
        return None
    return Finding("NameNotPermitted", f"the name constraints of this CA don't allow {outside}")


def outside_validity(at: datetime, not_before: datetime, not_after: datetime) -> Finding | None:
    """Return a finding when an issuing CA has ended or has not begun."""
    if not_before <= at < not_after:
        return None
    return Finding(
        "IssuingCaNotValid", f"the issuing CA is valid from {not_before:%Y-%m-%d} to {not_after:%Y-%m-%d}"
    )


def issuing_ca_not_valid(check: LeafCheckInput) -> Finding | None:
    """The issuing CA has ended, or has not begun."""
    return outside_validity(check.order.not_before, check.issuer_not_before, check.issuer_not_after)


def leaf_outlives_issuing_ca(check: LeafCheckInput) -> Finding | None:
    """The certificate would end after the CA's own, and so be worth nothing at its end."""
    if check.validity.not_after <= check.issuer_not_after:
        return None
    days = (check.issuer_not_after - check.order.not_before).days
    return Finding(
        "LeafOutlivesIssuingCa",
        f"a term of {check.order.term_days} days ends after the issuing CA, which has {days} days left:"
        " choose a shorter term or renew the CA",
    )


ORDER_CHECKS: tuple[Callable[[LeafCheckInput], Finding | None], ...] = (
    type_not_offered,
    usage_not_of_type,
    names_missing,
    name_not_permitted,
    trial_over,
    issuing_ca_not_valid,
    leaf_outlives_issuing_ca,
)
