"""Certificate revocation lists (RFC 5280, 5): spliced from entries that are already encoded.

An entry never changes once it exists, so callers may keep its bytes; a list of 100,000 entries is then a join
and one signature. Signing is :func:`pki.issuing.assemble`, as for certificates.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pki import der
from pki.algorithms import SignatureAlgorithm, algorithm_identifier
from pki.errors import InvalidTemplate
from pki.issuing import authority_key_identifier, extension
from pki.templates import IssuerRef

_VERSION_2 = der.integer(1)
_CRL_NUMBER = "2.5.29.20"
_REASON_CODE = "2.5.29.21"
_ISSUING_DISTRIBUTION_POINT = "2.5.29.28"


class RevocationReason(StrEnum):
    """Reasons by the names of RFC 5280, 5.3.1."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    CERTIFICATE_HOLD = "certificateHold"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"
    AA_COMPROMISE = "aACompromise"


REASON_CODES = {
    RevocationReason.UNSPECIFIED: 0,
    RevocationReason.KEY_COMPROMISE: 1,
    RevocationReason.CA_COMPROMISE: 2,
    RevocationReason.AFFILIATION_CHANGED: 3,
    RevocationReason.SUPERSEDED: 4,
    RevocationReason.CESSATION_OF_OPERATION: 5,
    RevocationReason.CERTIFICATE_HOLD: 6,
    RevocationReason.PRIVILEGE_WITHDRAWN: 9,
    RevocationReason.AA_COMPROMISE: 10,
}
"""Reason -> the code on the wire."""

# A complete list: RFC 5280, 5.3.1 wants no code at all for 'unspecified'.
_REASON_EXTENSIONS = {
    reason: der.sequence(extension(_REASON_CODE, der.enumerated(code))) if code else b""
    for reason, code in REASON_CODES.items()
}


@dataclass(frozen=True, slots=True)
class CrlEntry:
    """One revoked certificate."""

    serial: int
    revoked_at: datetime
    reason: RevocationReason = RevocationReason.UNSPECIFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlTemplate:
    """Everything a TBSCertList says beside its entries."""

    issuer: IssuerRef
    signature_algorithm: SignatureAlgorithm
    number: int
    """Strictly rising per issuer."""
    this_update: datetime
    next_update: datetime
    distribution_url: str = ""
    """When set, the list is valid only for certificates that name this distribution point."""


def encode_crl_entry(entry: CrlEntry) -> bytes:
    """Encode one entry; the bytes may be kept and reused in every later list."""
    extensions = _REASON_EXTENSIONS[entry.reason]
    return der.sequence(der.integer(entry.serial), der.time(entry.revoked_at), extensions)


def build_crl_tbs(template: CrlTemplate, encoded_entries: Iterable[bytes]) -> bytes:
    """Encode the TBSCertList of entries, which may come joined to larger pieces; raise InvalidTemplate."""
    if not 0 <= template.number < 1 << 159:
        raise InvalidTemplate("a CRL number is not negative and has at most 20 octets")
    if template.this_update.tzinfo is None or template.next_update <= template.this_update:
        raise InvalidTemplate("the next update must come after this one")
    # Spread into the outer sequence, so that they are copied once.
    entries = tuple(encoded_entries)
    length = sum(map(len, entries))
    revoked = (der.header(der.SEQUENCE, length), *entries) if length else ()
    return der.sequence(
        _VERSION_2,
        algorithm_identifier(template.signature_algorithm),
        template.issuer.name_der,
        der.time(template.this_update),
        der.time(template.next_update),
        *revoked,
        der.explicit(0, der.sequence(_crl_extensions(template))),
    )


def _crl_extensions(template: CrlTemplate) -> bytes:
    extensions = authority_key_identifier(template.issuer)
    extensions += extension(_CRL_NUMBER, der.integer(template.number))
    if template.distribution_url:
        full_name = der.explicit(0, der.implicit(6, template.distribution_url.encode("ascii")))
        point = der.sequence(der.explicit(0, full_name))
        extensions += extension(_ISSUING_DISTRIBUTION_POINT, point, critical=True)
    return extensions
