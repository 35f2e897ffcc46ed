"""Key usages and extended key usages of a profile: what contradicts a key type, each other, or public trust.

RFC 3279 and RFC 8410 say which usages a kind of key can have, RFC 5280, 4.2.1.12, which of them an extended
usage needs, the Baseline Requirements, 7.1.2.7.10 and 7.1.2.7.11, what a publicly trusted certificate says.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.profiles.records import ProfileFields
from pki.errors import InvalidTemplate
from pki.keys import ML_DSA, KeyType
from pki.usages import write_extended_key_usage, write_key_usage

_CA_USAGES = frozenset({"keyCertSign", "cRLSign"})
_SIGNING = frozenset({"digitalSignature", "nonRepudiation"})
_OF_RSA = _SIGNING | {"keyEncipherment", "dataEncipherment"}
_OF_EC = _SIGNING | {"keyAgreement", "encipherOnly", "decipherOnly"}

# Extended usage -> key usages of which it needs one.
_NEEDED_BY = {
    "serverAuth": frozenset({"digitalSignature", "keyEncipherment", "keyAgreement"}),
    "clientAuth": frozenset({"digitalSignature", "keyAgreement"}),
    "codeSigning": frozenset({"digitalSignature"}),
    "emailProtection": _SIGNING | {"keyEncipherment", "keyAgreement"},
    "timeStamping": _SIGNING,
    "OCSPSigning": _SIGNING,
}
_PUBLIC_EXTENDED = frozenset({"serverAuth", "clientAuth"})


def key_usage_fault(fields: ProfileFields) -> str | None:
    """Say what is wrong with the key usages; None: nothing."""
    if not fields.key_usage:
        # Chosen by the key's type when a certificate is issued.
        return None
    try:
        write_key_usage(fields.key_usage)
    except InvalidTemplate as fault:
        return str(fault)
    wanted = set(fields.key_usage)
    if wanted & _CA_USAGES:
        return "keyCertSign and cRLSign are for CAs"
    return (
        _of_other_keys(wanted, fields.key_types)
        or _too_little(wanted, fields.extended_key_usage)
        or (_not_public(wanted, fields.key_types) if fields.is_public else None)
    )


def _usages_of(key_type: str) -> frozenset[str]:
    if key_type.startswith("RSA-"):
        return _OF_RSA
    return _SIGNING if key_type == KeyType.ED25519 or key_type in ML_DSA else _OF_EC


def _of_other_keys(wanted: set[str], key_types: Sequence[str]) -> str | None:
    for key_type in key_types:
        impossible = wanted - _usages_of(key_type)
        if impossible:
            return (
                f"{', '.join(sorted(impossible))}: {key_type} keys, which the profile allows, can't do that"
            )
    return None


def _too_little(wanted: set[str], extended: Sequence[str]) -> str | None:
    for usage in extended:
        needed = _NEEDED_BY.get(usage)
        if needed and not wanted & needed:
            return f"{usage} needs one of {', '.join(sorted(needed))}"
    return None


def _not_public(wanted: set[str], key_types: Sequence[str]) -> str | None:
    if "nonRepudiation" in wanted:
        return "nonRepudiation has no place in a publicly trusted server certificate"
    if "digitalSignature" not in wanted and not all(item.startswith("RSA-") for item in key_types):
        return "a publicly trusted certificate of an EC key has digitalSignature"
    return None


def extended_key_usage_fault(fields: ProfileFields) -> str | None:
    """Say what is wrong with the extended key usages; None: nothing."""
    if not fields.extended_key_usage:
        return "at least one extended key usage is needed"
    try:
        write_extended_key_usage(fields.extended_key_usage)
    except InvalidTemplate as fault:
        return str(fault)
    if not fields.is_public:
        return None
    if "serverAuth" not in fields.extended_key_usage:
        return "a publicly trusted server certificate has serverAuth"
    others = [usage for usage in fields.extended_key_usage if usage not in _PUBLIC_EXTENDED]
    return f"{others[0]} has no place in a publicly trusted server certificate" if others else None
