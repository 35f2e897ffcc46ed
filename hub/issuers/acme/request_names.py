"""The names in a signing request, which must be those of the order, no more and no less (RFC 8555, 7.4)."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID

from hub.issuers.acme.objects import Identifier
from hub.issuers.acme.ordering import identifiers_of
from hub.issuers.contract import CertificateOrder
from pki.findings import Finding


def differing_names(order: CertificateOrder) -> Finding | None:
    """Say which names the signing request lacks, or has beyond the order's: the CA would refuse it later."""
    wanted, asked = set(identifiers_of(order)), _names(order.csr)
    missing = ", ".join(sorted(item.value for item in wanted - asked))
    beyond = ", ".join(sorted(item.value for item in asked - wanted))
    if missing:
        return Finding("CsrLacksNames", f"the CA wants these names in the signing request as well: {missing}")
    if beyond:
        return Finding("CsrHasMoreNames", f"the signing request has names that were not requested: {beyond}")
    return None


def _names(csr: bytes) -> set[Identifier]:
    request = x509.load_der_x509_csr(csr)
    found: set[Identifier] = set()
    try:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        pass
    else:
        found |= {
            Identifier(type="dns", value=name.lower()) for name in names.get_values_for_type(x509.DNSName)
        }
        found |= {Identifier(type="ip", value=str(ip)) for ip in names.get_values_for_type(x509.IPAddress)}
    for attribute in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        text = str(attribute.value).lower()
        # An address in the common name is the one that stands among the alternative names as well.
        if Identifier(type="ip", value=text) not in found:
            found.add(Identifier(type="dns", value=text))
    return found
