"""A minimal DER writer and reader (X.690), for what the cryptography library can not do.

The writer builds a TBSCertificate or TBSCertList without signing it; the reader walks to a field of a
certificate whose key or extensions the library refuses to load. Neither is a general ASN.1 compiler.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from pki.errors import MalformedDer

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, ENUMERATED = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A
UTF8_STRING, PRINTABLE_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x13, 0x16, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31


def tlv(tag: int, *parts: bytes) -> bytes:
    """Encode one element of a single-byte tag around the joined parts."""
    # One join, whatever the size: lists of revoked certificates have tens of megabytes.
    return b"".join((header(tag, sum(map(len, parts))), *parts))


def header(tag: int, length: int) -> bytes:
    """Encode tag and length of an element whose content, of so many octets, follows."""
    if length < 0x80:
        return bytes((tag, length))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size


def sequence(*parts: bytes) -> bytes:
    """Encode a SEQUENCE of already encoded parts."""
    return tlv(SEQUENCE, *parts)


def integer(value: int) -> bytes:
    """Encode a non-negative INTEGER."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def enumerated(value: int) -> bytes:
    """Encode a small non-negative ENUMERATED."""
    return tlv(ENUMERATED, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def boolean_true() -> bytes:
    """Encode TRUE; FALSE is a default and therefore absent in DER wherever we write one."""
    return b"\x01\x01\xff"


def octet_string(content: bytes) -> bytes:
    """Encode an OCTET STRING."""
    return tlv(OCTET_STRING, content)


def bit_string(content: bytes) -> bytes:
    """Encode a BIT STRING without unused bits."""
    return tlv(BIT_STRING, b"\x00", content)


def explicit(number: int, content: bytes) -> bytes:
    """Encode [number] EXPLICIT around an encoded element."""
    return tlv(0xA0 | number, content)


def implicit(number: int, content: bytes) -> bytes:
    """Encode a primitive [number] IMPLICIT around raw content."""
    return tlv(0x80 | number, content)


def object_identifier(dotted: str) -> bytes:
    """Encode an OBJECT IDENTIFIER from its dotted form."""
    arcs = [int(arc) for arc in dotted.split(".")]
    content = bytearray()
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return tlv(OID, bytes(content))


def time(moment: datetime) -> bytes:
    """Encode an aware datetime in whole seconds as RFC 5280, 4.1.2.5 wants: UTCTime up to 2049."""
    utc = moment.astimezone(UTC)
    if 1950 <= utc.year < 2050:
        return tlv(UTC_TIME, f"{utc:%y%m%d%H%M%S}Z".encode())
    return tlv(GENERALIZED_TIME, f"{utc.year:04}{utc:%m%d%H%M%S}Z".encode())


class Element(NamedTuple):
    """One element found by the reader."""

    tag: int
    content: bytes
    encoded: bytes
    """The whole element: tag, length and content."""


def read_header(data: bytes, offset: int = 0) -> tuple[int, int, int]:
    """Return tag, start and end of the content of the element at an offset, without copying it.

    Raises MalformedDer if the element is not complete or not DER.
    """
    if offset + 2 > len(data):
        raise MalformedDer("the data ends before the element does")
    tag, length = data[offset], data[offset + 1]
    start = offset + 2
    if tag & 0x1F == 0x1F:
        raise MalformedDer("multi-byte tags do not occur in this field")
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or start + size > len(data):
            raise MalformedDer("the length of an element is not definite or not plausible")
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    end = start + length
    if end > len(data):
        raise MalformedDer("an element is longer than the data")
    return tag, start, end


def read_element(data: bytes, offset: int = 0) -> Element:
    """Read the element at an offset; raise MalformedDer if it is not complete or not DER."""
    tag, start, end = read_header(data, offset)
    return Element(tag, data[start:end], data[offset:end])


def read_children(content: bytes) -> Iterator[Element]:
    """Iterate over the elements inside the content of a constructed one; raise MalformedDer."""
    offset = 0
    while offset < len(content):
        element = read_element(content, offset)
        offset += len(element.encoded)
        yield element


def read_object_identifier(content: bytes) -> str:
    """Return the dotted form of an OBJECT IDENTIFIER's content; raise MalformedDer."""
    if not content or content[-1] & 0x80:
        raise MalformedDer("an object identifier is cut short")
    arcs: list[int] = []
    value = 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))
