"""ClientHello messages built by hand, as cheap as joining a few byte strings.

RFC 5246 section 7.4.1.2, RFC 8446 section 4.1.2; extensions from RFC 6066 (server_name), 8422 (elliptic
curves), 5746 (renegotiation), 7627 (extended master secret) and 7685 (padding). Suites with a signed key
exchange come first: a server that has an EC and an RSA certificate would otherwise show the wrong one to a
client that asks for static RSA.
"""

from __future__ import annotations

import enum
from functools import lru_cache
from struct import pack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

X25519 = 0x001D
SECP256R1 = 0x0017
SECP384R1 = 0x0018
SECP521R1 = 0x0019

EXT_SERVER_NAME = 0
EXT_SUPPORTED_GROUPS = 10
EXT_POINT_FORMATS = 11
EXT_SIGNATURE_ALGORITHMS = 13
EXT_PADDING = 21
EXT_EXTENDED_MASTER_SECRET = 23
EXT_SUPPORTED_VERSIONS = 43
EXT_COOKIE = 44
EXT_KEY_SHARE = 51
EXT_RENEGOTIATION_INFO = 0xFF01

TLS12 = 0x0303
TLS13 = 0x0304


class Authentication(enum.Enum):
    """Which kind of certificate to ask for; a server with two shows one a hello."""

    ANY = "any"
    RSA = "rsa"
    ECDSA = "ecdsa"


_ECDSA_SUITES = (0xC02B, 0xC02C, 0xCCA9, 0xC023, 0xC024, 0xC009, 0xC00A, 0xC008, 0xC007)
_ECDHE_RSA_SUITES = (0xC02F, 0xC030, 0xCCA8, 0xC027, 0xC028, 0xC013, 0xC014)
_DHE_SUITES = (0x009E, 0x009F, 0xCCAA, 0x0067, 0x006B, 0x0033, 0x0039, 0x0032, 0x0038)
_OLD_SUITES = (0xC012, 0xC011, 0x0016, 0x009C, 0x009D, 0x003C, 0x003D, 0x002F, 0x0035, 0x000A, 0x0005)
_RSA_SUITES = (*_ECDHE_RSA_SUITES, *_DHE_SUITES, *_OLD_SUITES)
_SUITES = {
    Authentication.ANY: (*_ECDSA_SUITES, *_RSA_SUITES),
    Authentication.RSA: _RSA_SUITES,
    Authentication.ECDSA: _ECDSA_SUITES,
}
# AES-128-GCM first: its SHA-256 key schedule is the cheapest.
TLS13_SUITES = (0x1301, 0x1302, 0x1303)

_EC_SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0807, 0x0808)
_RSA_SIGNATURES = (0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B, 0x0401, 0x0501, 0x0601)
_OLD_SIGNATURES = (0x0203, 0x0201, 0x0402, 0x0202)
_SIGNATURES = {
    Authentication.ANY: (*_EC_SIGNATURES, *_RSA_SIGNATURES, *_OLD_SIGNATURES),
    Authentication.RSA: (*_RSA_SIGNATURES, 0x0201),
    Authentication.ECDSA: (*_EC_SIGNATURES, 0x0203),
}

# Where the random stands in a finished record: 5 of the record, 4 of the message, 2 of the version.
_RANDOM_AT = 11


def _u16_list(values: Iterable[int]) -> bytes:
    body = b"".join(pack(">H", value) for value in values)
    return pack(">H", len(body)) + body


def _extension(kind: int, body: bytes) -> bytes:
    return pack(">HH", kind, len(body)) + body


def _server_name(name: str) -> bytes:
    host = name.encode("ascii")
    entry = pack(">BH", 0, len(host)) + host
    return _extension(EXT_SERVER_NAME, pack(">H", len(entry)) + entry)


def handshake_message(suites: Iterable[int], random: bytes, session_id: bytes, extensions: bytes) -> bytes:
    """A ClientHello handshake message, padded out of the 256..511 bytes that old F5 boxes choke on."""
    head = (
        pack(">H", TLS12) + random + bytes((len(session_id),)) + session_id + _u16_list(suites) + b"\x01\x00"
    )
    length = 4 + len(head) + 2 + len(extensions)
    if 256 <= length < 512:
        extensions += _extension(EXT_PADDING, bytes(max(512 - length - 4, 1)))
    body = head + pack(">H", len(extensions)) + extensions
    return b"\x01" + len(body).to_bytes(3, "big") + body


def in_record(message: bytes) -> bytes:
    """The message in one record, which says TLS 1.0 as RFC 8446 section 5.1 advises for a first hello."""
    return pack(">BHH", 22, 0x0301, len(message)) + message


@lru_cache(maxsize=1024)
def _tls12_template(name: str | None, authentication: Authentication) -> tuple[bytes, bytes]:
    """What stands before and after the random in a TLS 1.2 hello."""
    extensions = b"".join(
        (
            _server_name(name) if name else b"",
            _extension(EXT_EXTENDED_MASTER_SECRET, b""),
            _extension(EXT_RENEGOTIATION_INFO, b"\x00"),
            _extension(EXT_SUPPORTED_GROUPS, _u16_list((X25519, SECP256R1, SECP384R1, SECP521R1))),
            _extension(EXT_POINT_FORMATS, b"\x01\x00"),
            _extension(EXT_SIGNATURE_ALGORITHMS, _u16_list(_SIGNATURES[authentication])),
        )
    )
    record = in_record(handshake_message(_SUITES[authentication], bytes(32), b"", extensions))
    return record[:_RANDOM_AT], record[_RANDOM_AT + 32 :]


def tls12_client_hello(
    *, name: str | None, random: bytes, authentication: Authentication = Authentication.ANY
) -> bytes:
    """A record with a ClientHello for TLS 1.2 and below; `name` goes into SNI, `random` has 32 bytes."""
    before, after = _tls12_template(name, authentication)
    return before + random + after


@lru_cache(maxsize=1024)
def _tls13_extensions(
    name: str | None, share: tuple[int, bytes], groups: tuple[int, ...], authentication: Authentication
) -> bytes:
    """What a TLS 1.3 hello's extensions are when there is no cookie."""
    group, public = share
    entry = pack(">HH", group, len(public)) + public
    return b"".join(
        (
            _server_name(name) if name else b"",
            _extension(EXT_SUPPORTED_GROUPS, _u16_list(groups)),
            _extension(EXT_SUPPORTED_VERSIONS, b"\x02" + pack(">H", TLS13)),
            _extension(EXT_KEY_SHARE, pack(">H", len(entry)) + entry),
            _extension(EXT_SIGNATURE_ALGORITHMS, _u16_list(_SIGNATURES[authentication])),
        )
    )


def tls13_client_hello(
    *,
    name: str | None,
    random: bytes,
    session_id: bytes,
    share: tuple[int, bytes],
    groups: tuple[int, ...],
    cookie: bytes = b"",
    authentication: Authentication = Authentication.ANY,
) -> bytes:
    """A ClientHello message, without its record, that offers TLS 1.3 only with one key share."""
    extensions = _tls13_extensions(name, share, groups, authentication)
    if cookie:
        extensions = _extension(EXT_COOKIE, pack(">H", len(cookie)) + cookie) + extensions
    return handshake_message(TLS13_SUITES, random, session_id, extensions)
