"""From a template to a certificate in two steps: the TBSCertificate, then its signature (RFC 5280, 4.1).

The two steps are apart so that the hub can store what it is about to sign, and after a crash sign exactly
that again. The extensions of a profile are encoded by the cryptography library once and then spliced in as
bytes, which makes a certificate three times cheaper than through its builder.
"""

import ipaddress
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from pki import der
from pki.algorithms import SignatureAlgorithm, algorithm_identifier
from pki.errors import InvalidName, InvalidTemplate
from pki.subject_alt_names import AltNames, encode_alt_names
from pki.templates import (
    CertificateTemplate,
    ExtensionSet,
    IssuerRef,
    NameConstraints,
    SubjectRef,
    Validity,
    check_template,
    key_identifier,
)
from pki.usages import write_extended_key_usage, write_key_usage

_VERSION_3 = der.explicit(0, der.integer(2))
_EMPTY_NAME = b"\x30\x00"
_SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
_AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
_SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"


def build_tbs(template: CertificateTemplate) -> bytes:
    """Encode the TBSCertificate of a template; raise InvalidTemplate or MalformedDer (the subject's key)."""
    check_template(template)
    return der.sequence(
        _VERSION_3,
        der.integer(template.serial),
        algorithm_identifier(template.signature_algorithm),
        template.issuer.name_der,
        _validity(template.validity),
        template.subject.name_der,
        template.subject.spki_der,
        der.explicit(3, der.sequence(_own_extensions(template), _profile_extensions(template.extensions))),
    )


def assemble(tbs: bytes, signature_algorithm: SignatureAlgorithm, signature: bytes) -> bytes:
    """Put a TBSCertificate or TBSCertList and its signature together.

    Raises InvalidTemplate if the algorithm is not the one that the signed part announces, or MalformedDer.
    """
    identifier = algorithm_identifier(signature_algorithm)
    # Version and serial number of a certificate, or the version of a CRL, stand before the algorithm.
    if identifier not in _first_fields(tbs):
        raise InvalidTemplate(f"what is signed does not announce {signature_algorithm}")
    return der.sequence(tbs, identifier, der.bit_string(signature))


def _first_fields(tbs: bytes) -> list[bytes]:
    _, offset, end = der.read_header(tbs)
    found: list[bytes] = []
    while offset < end and len(found) < 3:
        found.append(der.read_element(tbs, offset).encoded)
        offset += len(found[-1])
    return found


def _validity(validity: Validity) -> bytes:
    return der.sequence(der.time(validity.not_before), der.time(validity.not_after))


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    """Encode one Extension around the DER of its value."""
    flag = der.boolean_true() if critical else b""
    return der.sequence(der.object_identifier(dotted), flag, der.octet_string(value))


def authority_key_identifier(issuer: IssuerRef) -> bytes:
    """Encode the authority key identifier extension; nothing for a root."""
    if not issuer.key_id:
        return b""
    return extension(_AUTHORITY_KEY_IDENTIFIER, der.sequence(der.implicit(0, issuer.key_id)))


def _own_extensions(template: CertificateTemplate) -> bytes:
    subject = template.subject
    subject_key_id = der.octet_string(key_identifier(subject.spki_der))
    return b"".join(
        (
            extension(_SUBJECT_KEY_IDENTIFIER, subject_key_id),
            authority_key_identifier(template.issuer),
            _subject_alternative_name(subject),
        )
    )


def _subject_alternative_name(subject: SubjectRef) -> bytes:
    if subject.names == AltNames():
        return b""
    try:
        value = encode_alt_names(subject.names)
    except InvalidName as fault:
        raise InvalidTemplate(str(fault)) from fault
    # RFC 5280, 4.2.1.6: critical when the subject is empty.
    critical = subject.name_der == _EMPTY_NAME
    return extension(_SUBJECT_ALTERNATIVE_NAME, value, critical=critical)


@lru_cache(maxsize=1024)
def _profile_extensions(extensions: ExtensionSet) -> bytes:
    try:
        values = _profile_values(extensions)
        return b"".join(
            extension(value.oid.dotted_string, value.public_bytes(), critical=critical)
            for value, critical in values
        )
    except ValueError as fault:
        raise InvalidTemplate(f"an extension can not be encoded: {fault}") from fault


def _profile_values(extensions: ExtensionSet) -> list[tuple[x509.ExtensionType, bool]]:
    values: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=extensions.ca, path_length=extensions.path_length), True),
    ]
    if extensions.key_usage:
        values.append((write_key_usage(extensions.key_usage), True))
    if extensions.extended_key_usage:
        values.append((write_extended_key_usage(extensions.extended_key_usage), False))
    if extensions.policies:
        policies = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in extensions.policies]
        values.append((x509.CertificatePolicies(policies), False))
    if extensions.name_constraints is not None:
        values.append((_name_constraints(extensions.name_constraints), True))
    if extensions.urls.crl:
        points = [x509.DistributionPoint([_uri(url)], None, None, None) for url in extensions.urls.crl]
        values.append((x509.CRLDistributionPoints(points), False))
    if extensions.urls.ocsp or extensions.urls.ca_issuers:
        values.append((_authority_information_access(extensions), False))
    if extensions.ocsp_no_check:
        values.append((x509.OCSPNoCheck(), False))
    return values


def _uri(url: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(url)


def _authority_information_access(extensions: ExtensionSet) -> x509.AuthorityInformationAccess:
    methods = AuthorityInformationAccessOID
    pairs = [(methods.OCSP, url) for url in extensions.urls.ocsp]
    pairs += [(methods.CA_ISSUERS, url) for url in extensions.urls.ca_issuers]
    return x509.AuthorityInformationAccess([x509.AccessDescription(oid, _uri(url)) for oid, url in pairs])


def _name_constraints(constraints: NameConstraints) -> x509.NameConstraints:
    def subtrees(dns: tuple[str, ...], networks: tuple[str, ...]) -> list[x509.GeneralName] | None:
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in dns]
        names += [x509.IPAddress(ipaddress.ip_network(network)) for network in networks]
        return names or None

    return x509.NameConstraints(
        permitted_subtrees=subtrees(constraints.permitted_dns, constraints.permitted_networks),
        excluded_subtrees=subtrees(constraints.excluded_dns, constraints.excluded_networks),
    )
