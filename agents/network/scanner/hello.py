"""The partial TLS 1.2 handshake: send a hello, read up to the server's Certificate message, hang up.

Sans-IO. It costs the server one key exchange and the client next to nothing, but proves nothing: the server
has not yet signed anything over this connection, or the signature has not been checked. RFC 5246 section 7.4.
"""

from __future__ import annotations

from agents.network.scanner.conversation import FLIGHT_LIMIT, FlightReader
from agents.network.scanner.errors import ProtocolViolation
from agents.network.scanner.outcomes import AlertSeen, ChainSeen, NeedsTls13, Outcome
from agents.network.scanner.records import (
    ALERT,
    CERTIFICATE,
    CLOSE_NOTIFY,
    FATAL,
    HANDSHAKE,
    SERVER_HELLO,
    VERSION_NAMES,
    HandshakeReader,
    read_vectors,
)


class ServerFlight(FlightReader):
    """Reads a server's first flight in TLS 1.2 and below. Holds at most `limit` bytes."""

    __slots__ = ("_handshake", "_version")

    def __init__(self, limit: int = FLIGHT_LIMIT) -> None:
        super().__init__(limit)
        self._handshake = HandshakeReader(limit)
        self._version = ""

    def _read_record(self, kind: int, fragment: bytes) -> Outcome | None:
        if kind == HANDSHAKE:
            return self._read_handshake(fragment)
        if kind == ALERT:
            return read_alert(fragment)
        raise ProtocolViolation("UnexpectedRecord", f"record type {kind} before the certificate")

    def _read_handshake(self, fragment: bytes) -> Outcome | None:
        for kind, message in self._handshake.feed(fragment):
            if not self._version:
                if kind != SERVER_HELLO:
                    raise ProtocolViolation("NoServerHello", f"handshake type {kind} comes first")
                version = server_version(message)
                if version == "TLSv1.3":
                    return NeedsTls13()
                self._version = version
            elif kind == CERTIFICATE:
                return ChainSeen(certificates_12(message), self._version)
            else:
                raise ProtocolViolation("NoCertificate", f"handshake type {kind} instead of a certificate")
        return None


class PartialHello(ServerFlight):
    """The conversation of a TLS 1.2 scan: a prepared ClientHello, then the server's flight."""

    __slots__ = ("_hello",)

    def __init__(self, hello: bytes, limit: int = FLIGHT_LIMIT) -> None:
        super().__init__(limit)
        self._hello = hello

    def start(self) -> bytes:
        """The ClientHello."""
        return self._hello

    def data_to_send(self) -> bytes:
        """Nothing: a partial handshake has one message."""
        return b""


def read_alert(fragment: bytes) -> Outcome | None:
    """The outcome of an alert record; None for a warning, after which the server goes on."""
    if len(fragment) != 2:
        raise ProtocolViolation("BadAlert", f"an alert of {len(fragment)} bytes")
    level, code = fragment
    return AlertSeen(code) if level == FATAL or code == CLOSE_NOTIFY else None


def server_version(message: bytes) -> str:
    """The version that a ServerHello chose. Raises `ProtocolViolation`."""
    if len(message) < 4 + 38:
        raise ProtocolViolation("BadServerHello", "the server's hello is too short")
    number = message[4] << 8 | message[5]
    # The session id is followed by suite (2) and compression (1); TLS 1.3 hides in supported_versions.
    extensions_at = 4 + 2 + 32 + 1 + message[38] + 3
    if number == 0x0303 and b"\x00\x2b\x00\x02\x03\x04" in message[extensions_at:]:
        return "TLSv1.3"
    name = VERSION_NAMES.get(number)
    if name is None:
        raise ProtocolViolation("UnknownVersion", f"the server chose version {number:#06x}")
    return name


def certificates_12(message: bytes) -> tuple[bytes, ...]:
    """The chain in a TLS 1.2 Certificate message. Raises `ProtocolViolation`."""
    end = len(message)
    if end < 7 or int.from_bytes(message[4:7], "big") != end - 7:
        raise ProtocolViolation("BadCertificateList", "the certificate list's length is wrong")
    chain = read_vectors(message, 7, end, tls13=False)
    if not chain:
        raise ProtocolViolation("EmptyCertificateList", "the server's certificate list is empty")
    return chain
