"""Key usages and extended key usages by the names of RFC 5280 (4.2.1.3, 4.2.1.12), both ways."""

import re
from collections.abc import Iterable

from cryptography import x509

from pki.errors import InvalidTemplate

# In the order of the bits; the library's attribute for each.
_KEY_USAGE_ATTRIBUTES = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
    "encipherOnly": "encipher_only",
    "decipherOnly": "decipher_only",
}
_ONLY_WITH_KEY_AGREEMENT = frozenset({"encipherOnly", "decipherOnly"})

EXTENDED_KEY_USAGE_OIDS = {
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "codeSigning": "1.3.6.1.5.5.7.3.3",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "timeStamping": "1.3.6.1.5.5.7.3.8",
    "OCSPSigning": "1.3.6.1.5.5.7.3.9",
    "ipsecIKE": "1.3.6.1.5.5.7.3.17",
    "anyExtendedKeyUsage": "2.5.29.37.0",
    "smartcardLogon": "1.3.6.1.4.1.311.20.2.2",
    "msKDC": "1.3.6.1.5.2.3.5",
}
"""Name -> OID of the usages that have a name here."""

_EXTENDED_KEY_USAGE_NAMES = {oid: name for name, oid in EXTENDED_KEY_USAGE_OIDS.items()}


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


_BY_SNAKE_CASE = {_snake_case(name): name for name in (*_KEY_USAGE_ATTRIBUTES, *EXTENDED_KEY_USAGE_OIDS)} | {
    "crl_sign": "cRLSign",
    "ocsp_signing": "OCSPSigning",
}


def rfc_usage_name(name: str) -> str:
    """Return the RFC's spelling of a usage written in snake case (``server_auth``); others are left alone."""
    return _BY_SNAKE_CASE.get(name, name)


def read_key_usage(value: x509.KeyUsage) -> tuple[str, ...]:
    """Return the names of the bits that are set, in the order of the bits."""
    return tuple(
        name
        for name, attribute in _KEY_USAGE_ATTRIBUTES.items()
        if (name not in _ONLY_WITH_KEY_AGREEMENT or value.key_agreement) and getattr(value, attribute)
    )


def write_key_usage(names: Iterable[str]) -> x509.KeyUsage:
    """Build the extension's value; raise InvalidTemplate for a name that is not a key usage."""
    wanted = set(names)
    unknown = wanted - _KEY_USAGE_ATTRIBUTES.keys()
    if unknown:
        raise InvalidTemplate(f"not a key usage: {', '.join(sorted(unknown))}")
    try:
        return x509.KeyUsage(**{attr: name in wanted for name, attr in _KEY_USAGE_ATTRIBUTES.items()})
    except ValueError as fault:
        raise InvalidTemplate(str(fault)) from fault


def read_extended_key_usage(value: x509.ExtendedKeyUsage) -> tuple[str, ...]:
    """Return the usages' names, dotted OIDs where there is no name."""
    return tuple(_EXTENDED_KEY_USAGE_NAMES.get(oid.dotted_string, oid.dotted_string) for oid in value)


def write_extended_key_usage(names: Iterable[str]) -> x509.ExtendedKeyUsage:
    """Build the extension's value from names or dotted OIDs; raise InvalidTemplate."""
    try:
        return x509.ExtendedKeyUsage(
            [x509.ObjectIdentifier(EXTENDED_KEY_USAGE_OIDS.get(name, name)) for name in names]
        )
    except ValueError as fault:
        raise InvalidTemplate(f"not an extended key usage: {fault}") from fault
