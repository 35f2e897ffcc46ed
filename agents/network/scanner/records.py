"""TLS records and handshake messages put together again from a byte stream, within bounds.

RFC 8446 section 5.1 and RFC 5246 section 6.2.1. Handshake messages may be cut anywhere: several in one
record, or one across many. A message that says it will be longer than the limit is refused at its header,
before any of it is kept.
"""

from __future__ import annotations

from agents.network.scanner.errors import ProtocolViolation

CHANGE_CIPHER_SPEC = 20
ALERT = 21
HANDSHAKE = 22
APPLICATION_DATA = 23

SERVER_HELLO = 2
ENCRYPTED_EXTENSIONS = 8
CERTIFICATE = 11
CERTIFICATE_REQUEST = 13

FATAL = 2
CLOSE_NOTIFY = 0

VERSION_NAMES = {
    0x0300: "SSLv3",
    0x0301: "TLSv1",
    0x0302: "TLSv1.1",
    0x0303: "TLSv1.2",
    0x0304: "TLSv1.3",
}

# TLS 1.2 allows 2048 bytes over the plain text, TLS 1.3 256; nobody needs the difference here.
_MAX_FRAGMENT = (1 << 14) + 2048


class NotTlsBytes(ProtocolViolation):
    """The stream does not begin with a TLS record."""

    code = "NotTlsBytes"

    def __init__(self, data: bytes) -> None:
        super().__init__("NotTls")
        self.data = data


class MessageTooLong(ProtocolViolation):
    """A handshake message says it is longer than the limit."""

    code = "TlsMessageTooLong"

    def __init__(self, size: int) -> None:
        super().__init__("MessageTooLong")
        self.size = size


class RecordReader:
    """Cuts a stream into records. Keeps at most one unfinished record."""

    __slots__ = ("_buffer", "_seen_one")

    def __init__(self) -> None:
        self._buffer = b""
        self._seen_one = False

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The records, type and fragment, that these bytes complete.

        Raises `NotTlsBytes` if the stream never was TLS, `ProtocolViolation` if it ceased to be.
        """
        buffer = self._buffer + data if self._buffer else data
        records: list[tuple[int, bytes]] = []
        at, end = 0, len(buffer)
        while end - at >= 5:
            kind = buffer[at]
            length = buffer[at + 3] << 8 | buffer[at + 4]
            if not CHANGE_CIPHER_SPEC <= kind <= APPLICATION_DATA or buffer[at + 1] != 3:
                raise self._not_a_record(buffer[at:])
            if length > _MAX_FRAGMENT:
                raise self._not_a_record(buffer[at:])
            if end - at - 5 < length:
                break
            records.append((kind, buffer[at + 5 : at + 5 + length]))
            at += 5 + length
            self._seen_one = True
        self._buffer = buffer[at:]
        return records

    @property
    def unfinished(self) -> bytes:
        """What has come of a record that is not complete."""
        return self._buffer

    @property
    def seen_one(self) -> bool:
        """Whether at least one whole record came, so that the other side does speak TLS."""
        return self._seen_one

    def _not_a_record(self, data: bytes) -> ProtocolViolation:
        if self._seen_one:
            return ProtocolViolation("BadRecord", "bytes that are no TLS record after a TLS record")
        return NotTlsBytes(data[:64])


class HandshakeReader:
    """Cuts the fragments of handshake records into messages no longer than a limit."""

    __slots__ = ("_buffer", "_limit")

    def __init__(self, limit: int) -> None:
        self._buffer = b""
        self._limit = limit

    def feed(self, fragment: bytes) -> list[tuple[int, bytes]]:
        """The messages that this fragment completes: type and the whole message with its header.

        Raises `MessageTooLong`.
        """
        buffer = self._buffer + fragment if self._buffer else fragment
        messages: list[tuple[int, bytes]] = []
        at, end = 0, len(buffer)
        while end - at >= 4:
            length = int.from_bytes(buffer[at + 1 : at + 4], "big")
            if length > self._limit:
                raise MessageTooLong(length)
            if end - at - 4 < length:
                break
            messages.append((buffer[at], buffer[at : at + 4 + length]))
            at += 4 + length
        self._buffer = buffer[at:]
        return messages


def read_vectors(data: bytes, at: int, end: int, *, tls13: bool) -> tuple[bytes, ...]:
    """The certificates of a certificate list that fills data[at:end].

    In TLS 1.3 each entry is followed by its extensions (RFC 8446 section 4.4.2), which are skipped.
    Raises `ProtocolViolation` when lengths don't fit into one another or an entry is empty.
    """
    chain: list[bytes] = []
    while at < end:
        first = at + 3
        at = first + int.from_bytes(data[at:first], "big")
        if first > end or at > end or at == first:
            raise ProtocolViolation("BadCertificateList", "lengths in the certificate list don't fit")
        chain.append(data[first:at])
        if tls13:
            if at + 2 > end:
                raise ProtocolViolation("BadCertificateList", "no extensions after a certificate")
            at += 2 + (data[at] << 8 | data[at + 1])
            if at > end:
                raise ProtocolViolation("BadCertificateList", "extensions run past the certificate list")
    return tuple(chain)
