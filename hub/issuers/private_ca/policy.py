"""Can the built-in CA fulfil an order? Ordered, pure checks, whose reasons API and console show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hub.issuers.contract import CertificateOrder
from pki.findings import Finding
from pki.templates import Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafCheckInput:
    """An order and the CA that is to fulfil it, as the checks see them."""

    order: CertificateOrder
    validity: Validity
    issuer_not_before: datetime
    issuer_not_after: datetime


def type_not_offered(check: LeafCheckInput) -> Finding | None:
    """A certificate type that needs a template which this backend does not have yet."""
    if check.order.certificate_type == "ssl":
        return None
    return Finding(
        "CertificateTypeNotOffered", f"the private CA issues no {check.order.certificate_type} certificates"
    )


def names_missing(check: LeafCheckInput) -> Finding | None:
    """Clients look for names in the subject alternative name only."""
    order = check.order
    if order.dns_names or order.ip_addresses:
        return None
    return Finding("NamesMissing", "a server certificate needs a DNS name or an IP address")


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
    names_missing,
    issuing_ca_not_valid,
    leaf_outlives_issuing_ca,
)
