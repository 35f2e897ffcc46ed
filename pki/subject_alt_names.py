"""Subject alternative names (RFC 5280, 4.2.1.6) as plain strings by kind."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509

from pki import der
from pki.errors import InvalidName


@dataclass(frozen=True, slots=True)
class AltNames:
    """Alternative names by kind, in the order of the certificate."""

    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()
    """Names of further kinds, as ``kind:value``."""


def printable(text: str) -> str:
    """Replace what can not be shown or stored (control characters, NUL) by U+FFFD."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def read_alt_names(names: Iterable[x509.GeneralName]) -> AltNames:
    """Sort general names into kinds; DNS names in lower case, all printable, nothing validated."""
    dns_names: list[str] = []
    ip_addresses: list[str] = []
    emails: list[str] = []
    other_names: list[str] = []
    for name in names:
        match name:
            case x509.DNSName():
                dns_names.append(printable(name.value.lower()))
            case x509.IPAddress():
                ip_addresses.append(str(name.value))
            case x509.RFC822Name():
                emails.append(printable(name.value))
            case _:
                other_names.append(printable(_describe(name)))
    return AltNames(tuple(dns_names), tuple(ip_addresses), tuple(emails), tuple(other_names))


def _describe(name: x509.GeneralName) -> str:
    match name:
        case x509.UniformResourceIdentifier():
            return f"uri:{name.value}"
        case x509.DirectoryName():
            return f"dirName:{name.value.rfc4514_string()}"
        case x509.RegisteredID():
            return f"rid:{name.value.dotted_string}"
        case x509.OtherName():
            return f"otherName:{name.type_id.dotted_string}"
        case _:
            return f"unknown:{type(name).__name__}"


def encode_alt_names(names: AltNames) -> bytes:
    """Return the DER of the extension's value; raise InvalidName for names that are not normalized."""
    try:
        general = [der.implicit(1, address.encode("ascii")) for address in names.emails]
        general += [der.implicit(2, name.encode("ascii")) for name in names.dns_names]
        general += [der.implicit(7, ipaddress.ip_address(text).packed) for text in names.ip_addresses]
    except ValueError as fault:
        raise InvalidName(f"an alternative name is not normalized: {fault}") from fault
    return der.sequence(*general)
