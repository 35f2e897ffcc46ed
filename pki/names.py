"""Names in certificates: DNS names (IDNA 2008), IP addresses, matching (RFC 9525) and subjects (RFC 5280).

DNS names are kept as lower-case A-labels without a trailing dot; that one form is stored, compared and
certified. Underscores are refused: RFC 5280 wants the preferred name syntax, and browsers' CAs may not
certify them.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pki import der
from pki.errors import InvalidName

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z", re.ASCII)
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?P<domain>[^@]{1,253})\Z", re.ASCII)
MAX_DNS_NAME = 253


def normalize_dns_name(name: str, *, wildcard: bool = True) -> str:
    """Return a DNS name as lower-case A-labels without trailing dot; raise InvalidName.

    ``*`` is accepted only as the whole leftmost label over at least two more, and only with ``wildcard``.
    """
    prefix, base = "", name.strip().removesuffix(".")
    if base.startswith("*."):
        if not wildcard:
            raise InvalidName(f"{name!r}: a wildcard is not allowed here")
        prefix, base = "*.", base[2:]
    labels = _to_ascii(base).split(".")
    for label in labels:
        _check_label(name, label)
    if labels[-1].isdigit():
        raise InvalidName(f"{name!r} is not a DNS name: its last label is a number")
    if prefix and len(labels) < 2:
        raise InvalidName(f"{name!r}: a wildcard must stand above at least two labels")
    normalized = prefix + ".".join(labels)
    if len(normalized) > MAX_DNS_NAME:
        raise InvalidName(f"a DNS name has at most {MAX_DNS_NAME} characters")
    return normalized


def _to_ascii(name: str) -> str:
    if name.isascii():
        return name.lower()
    import idna  # only here: loading its tables takes longer than all the rest of this module

    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except UnicodeError as fault:  # idna's own errors are UnicodeErrors
        raise InvalidName(f"{name!r} is not a valid internationalized DNS name: {fault}") from fault


def _check_label(name: str, label: str) -> None:
    if "_" in label:
        raise InvalidName(f"{name!r}: an underscore is not allowed in a certified DNS name")
    if not _LABEL.match(label):
        raise InvalidName(f"{name!r} is not a valid DNS name: label {label!r}")
    if label[2:4] == "--":
        _check_a_label(name, label)


def _check_a_label(name: str, label: str) -> None:
    # Punycode only, not all of IDNA 2008: names certified under IDNA 2003 exist and must be readable.
    if not label.startswith("xn--"):
        raise InvalidName(f"{name!r}: labels with '--' in third place are reserved")
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
        encoded = decoded.encode("punycode").decode("ascii")
    except (UnicodeError, OverflowError, ValueError) as fault:
        raise InvalidName(f"{name!r}: {label!r} is not a valid A-label") from fault
    if decoded.isascii() or not decoded.isprintable() or encoded != label[4:]:
        raise InvalidName(f"{name!r}: {label!r} is not a valid A-label")


def display_dns_name(name: str) -> str:
    """Return a DNS name for people, A-labels decoded where IDNA 2008 allows it; never raises."""
    import idna  # see _to_ascii

    try:
        return ".".join(
            idna.decode(label) if label.startswith("xn--") else label for label in name.split(".")
        )
    except UnicodeError:
        return name


def normalize_ip_address(text: str) -> str:
    """Return the canonical text of an IPv4 or IPv6 address; raise InvalidName (zones, networks)."""
    try:
        if "%" in text:
            raise InvalidName(f"{text!r}: an address with a zone can not be certified")
        return str(ipaddress.ip_address(text.strip()))
    except ValueError as fault:
        raise InvalidName(f"{text!r} is not an IP address") from fault


def is_ip_address(text: str) -> bool:
    """Tell whether the text is an IP address that can be certified."""
    # Names are asked about many times a request; an address has a colon or ends in a digit.
    if ":" not in text and not text.rstrip()[-1:].isdigit():
        return False
    try:
        normalize_ip_address(text)
    except InvalidName:
        return False
    return True


def normalize_email(address: str) -> str:
    """Return a mailbox (RFC 5280, 4.2.1.6) with a lower-case A-label domain; raise InvalidName."""
    match = _EMAIL.match(address.strip())
    if match is None or ".." in address or address.strip().startswith("."):
        raise InvalidName(f"{address!r} is not an e-mail address that can be certified")
    local = address.strip()[: match.start("domain")]
    return local + normalize_dns_name(match["domain"], wildcard=False)


def name_matches(pattern: str, name: str) -> bool:
    """Tell whether a certified DNS name covers a reference name (RFC 9525, 6.3).

    A wildcard stands for exactly one whole label; an IP address never matches a DNS name; malformed input
    never matches.
    """
    try:
        certified, wanted = normalize_dns_name(pattern), normalize_dns_name(name, wildcard=False)
    except InvalidName:
        return False
    if not certified.startswith("*."):
        return certified == wanted
    _, dot, parent = wanted.partition(".")
    return bool(dot) and parent == certified[2:]


def names_cover(dns_names: Iterable[str], ip_addresses: Iterable[str], target: str) -> bool:
    """Tell whether a certificate's names cover a host, which may be a DNS name or an IP address."""
    if not is_ip_address(target):
        return any(name_matches(pattern, target) for pattern in dns_names)
    wanted = normalize_ip_address(target)
    return any(is_ip_address(address) and normalize_ip_address(address) == wanted for address in ip_addresses)


@dataclass(frozen=True, slots=True)
class SubjectFields:
    """The attributes of a subject; empty ones are left out."""

    common_name: str = ""
    organization: str = ""
    organizational_unit: str = ""
    locality: str = ""
    state: str = ""
    country: str = ""
    """Two letters, ISO 3166."""
    email: str = ""


@dataclass(frozen=True, slots=True)
class _Attribute:
    """How one field is encoded, with its upper bound in characters (RFC 5280, appendix A.1)."""

    field: str
    oid: str
    short_name: str
    limit: int
    tag: int = der.UTF8_STRING


# In the order of encoding. Written here and not by the library, whose bound counts octets: a common name of
# 33 Cyrillic letters would be too long for it.
_SUBJECT_ATTRIBUTES = (
    _Attribute("country", "2.5.4.6", "C", 2, der.PRINTABLE_STRING),
    _Attribute("state", "2.5.4.8", "ST", 128),
    _Attribute("locality", "2.5.4.7", "L", 128),
    _Attribute("organization", "2.5.4.10", "O", 64),
    _Attribute("organizational_unit", "2.5.4.11", "OU", 64),
    _Attribute("common_name", "2.5.4.3", "CN", 64),
    _Attribute("email", "1.2.840.113549.1.9.1", "1.2.840.113549.1.9.1", 255, der.IA5_STRING),
)


def _subject_values(fields: SubjectFields) -> list[tuple[_Attribute, str]]:
    pairs = []
    for attribute in _SUBJECT_ATTRIBUTES:
        value: str = getattr(fields, attribute.field).strip()
        if value:
            pairs.append((attribute, _checked(attribute, value)))
    return pairs


def _checked(attribute: _Attribute, value: str) -> str:
    if len(value) > attribute.limit or not value.isprintable():
        name = attribute.field.replace("_", " ")
        raise InvalidName(f"{name}: at most {attribute.limit} printable characters, got {value!r}")
    if attribute.field == "country":
        return _country(value)
    return normalize_email(value) if attribute.field == "email" else value


def _country(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", value):
        raise InvalidName(f"country: two letters, got {value!r}")
    return value.upper()


def encode_name(fields: SubjectFields) -> bytes:
    """Return the DER of a distinguished name.

    Raises InvalidName when a value is too long, has control characters, or is no country or mailbox.
    """
    return der.sequence(
        *(
            der.tlv(
                der.SET,
                der.sequence(der.object_identifier(attribute.oid), der.tlv(attribute.tag, value.encode())),
            )
            for attribute, value in _subject_values(fields)
        )
    )


def name_string(fields: SubjectFields) -> str:
    """Return the RFC 4514 string of a distinguished name, most specific first; raise InvalidName."""
    pairs = reversed(_subject_values(fields))
    return ",".join(f"{attribute.short_name}={_escaped(value)}" for attribute, value in pairs)


def _escaped(value: str) -> str:
    escaped = re.sub(r'([,+"\\<>;])', r"\\\1", value)
    return "\\" + escaped if escaped.startswith("#") else escaped
