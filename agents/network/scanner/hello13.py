"""The smallest TLS 1.3 handshake that shows a certificate: one key exchange, a few records opened.

RFC 8446 sections 4 and 7.1, sans-IO. In TLS 1.3 the certificates are encrypted, so the client has to agree on
keys first; it stops as soon as the Certificate message is complete. The server's signature and Finished are
not checked, hence the result doesn't prove possession of the key. A CertificateRequest (mutual TLS) comes
before the Certificate and needs no answer here. HelloRetryRequest is followed once.

The client's keys are made once for a whole scan: what they protect is a public certificate, and nothing is
ever sent under them.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from struct import pack
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agents.network.scanner.client_hello import (
    EXT_COOKIE,
    EXT_KEY_SHARE,
    EXT_SUPPORTED_VERSIONS,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    TLS13,
    X25519,
    Authentication,
    in_record,
    tls13_client_hello,
)
from agents.network.scanner.conversation import FLIGHT_LIMIT, FlightReader
from agents.network.scanner.errors import ProtocolViolation
from agents.network.scanner.hello import read_alert
from agents.network.scanner.outcomes import ChainSeen, Outcome
from agents.network.scanner.records import (
    ALERT,
    APPLICATION_DATA,
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CHANGE_CIPHER_SPEC,
    ENCRYPTED_EXTENSIONS,
    HANDSHAKE,
    SERVER_HELLO,
    HandshakeReader,
    read_vectors,
)

if TYPE_CHECKING:
    from collections.abc import Callable

GROUPS = (X25519, SECP256R1, SECP384R1, SECP521R1)
_CURVES: dict[int, Callable[[], ec.EllipticCurve]] = {
    SECP256R1: ec.SECP256R1,
    SECP384R1: ec.SECP384R1,
    SECP521R1: ec.SECP521R1,
}
# SHA-256 of "HelloRetryRequest": the random that marks one (RFC 8446 section 4.1.3).
_RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").digest()


class Suite(NamedTuple):
    """A cipher suite's hash (for the key schedule) and AEAD."""

    hash_name: str
    key_length: int
    aead: type[AESGCM | ChaCha20Poly1305]


SUITES = {
    0x1301: Suite("sha256", 16, AESGCM),
    0x1302: Suite("sha384", 32, AESGCM),
    0x1303: Suite("sha256", 32, ChaCha20Poly1305),
}


class _ServerHello(NamedTuple):
    suite: int
    is_retry: bool
    extensions: dict[int, bytes]


PrivateKey = X25519PrivateKey | ec.EllipticCurvePrivateKey


def generate_private_key(group: int) -> PrivateKey:
    """A new key pair of one of `GROUPS`."""
    return X25519PrivateKey.generate() if group == X25519 else ec.generate_private_key(_CURVES[group]())


class KeyShares:
    """The client's key pairs, one a group, made when first needed."""

    def __init__(self, make: Callable[[int], PrivateKey] = generate_private_key) -> None:
        self._make = make
        self._private: dict[int, PrivateKey] = {}
        self._public: dict[int, bytes] = {}

    def public(self, group: int) -> bytes:
        """The key share to send for a group."""
        share = self._public.get(group)
        if share is None:
            private = self._private[group] = self._make(group)
            share = self._public[group] = _public_bytes(private)
        return share

    def exchange(self, group: int, peer: bytes) -> bytes:
        """The shared secret with a server's share. Raises `ProtocolViolation` if the share is no good."""
        private = self._private[group]
        try:
            if isinstance(private, X25519PrivateKey):
                return private.exchange(X25519PublicKey.from_public_bytes(peer))
            point = ec.EllipticCurvePublicKey.from_encoded_point(private.curve, peer)
            return private.exchange(ec.ECDH(), point)
        except ValueError as error:
            raise ProtocolViolation("BadKeyShare", "the server's key share is not a valid point") from error


def _public_bytes(private: PrivateKey) -> bytes:
    if isinstance(private, X25519PrivateKey):
        return private.public_key().public_bytes_raw()
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class _ServerKeys:
    """Opens the server's handshake records."""

    __slots__ = ("_aead", "_iv", "_sequence")

    def __init__(self, suite: Suite, shared: bytes, transcript: bytes) -> None:
        transcript_hash = hashlib.new(suite.hash_name, transcript).digest()
        key, iv = server_handshake_key(suite, shared, transcript_hash)
        self._aead = suite.aead(key)
        self._iv = int.from_bytes(iv, "big")
        self._sequence = 0

    def open(self, record: bytes) -> tuple[int, bytes]:
        """The inner type and content of an encrypted record. Raises `ProtocolViolation`."""
        nonce = (self._iv ^ self._sequence).to_bytes(12, "big")
        self._sequence += 1
        header = pack(">BHH", APPLICATION_DATA, 0x0303, len(record))
        try:
            inner = self._aead.decrypt(nonce, record, header).rstrip(b"\x00")
        except (InvalidTag, ValueError) as error:
            raise ProtocolViolation("BadRecordMac", "a record can't be decrypted") from error
        if not inner:
            raise ProtocolViolation("EmptyRecord", "an encrypted record holds nothing but padding")
        return inner[-1], inner[:-1]


class Tls13Hello(FlightReader):
    """The conversation of a TLS 1.3 scan. Holds at most `limit` bytes of the server's."""

    __slots__ = (
        "_authentication",
        "_group",
        "_keys",
        "_name",
        "_plain",
        "_random",
        "_retried",
        "_sealed",
        "_shares",
        "_to_send",
        "_transcript",
    )

    def __init__(
        self,
        *,
        name: str | None,
        random: bytes,
        shares: KeyShares,
        authentication: Authentication = Authentication.ANY,
        limit: int = FLIGHT_LIMIT,
    ) -> None:
        """`random` has 64 bytes: 32 for the hello's random, 32 for compatibility mode's session id."""
        super().__init__(limit)
        self._name = name
        self._random = random
        self._shares = shares
        self._authentication = authentication
        self._group = GROUPS[0]
        self._retried = False
        self._transcript = b""
        self._to_send = b""
        self._plain = HandshakeReader(limit)
        self._sealed = HandshakeReader(limit)
        self._keys: _ServerKeys | None = None

    def start(self) -> bytes:
        """The first ClientHello."""
        return self._hello(cookie=b"")

    def data_to_send(self) -> bytes:
        """The second ClientHello, once, after a HelloRetryRequest."""
        data, self._to_send = self._to_send, b""
        return data

    def _hello(self, cookie: bytes) -> bytes:
        message = tls13_client_hello(
            name=self._name,
            random=self._random[:32],
            session_id=self._random[32:],
            share=(self._group, self._shares.public(self._group)),
            groups=GROUPS,
            cookie=cookie,
            authentication=self._authentication,
        )
        self._transcript += message
        return in_record(message)

    def _read_record(self, kind: int, fragment: bytes) -> Outcome | None:
        if kind == CHANGE_CIPHER_SPEC:
            return None
        if kind == ALERT:
            return read_alert(fragment)
        if kind == HANDSHAKE and self._keys is None:
            return self._read_plain(fragment)
        if kind == APPLICATION_DATA and self._keys is not None:
            inner_kind, content = self._keys.open(fragment)
            if inner_kind == ALERT:
                return read_alert(content)
            if inner_kind == HANDSHAKE:
                return self._read_sealed(content)
            kind = inner_kind
        raise ProtocolViolation("UnexpectedRecord", f"record type {kind} before the certificate")

    def _read_plain(self, fragment: bytes) -> Outcome | None:
        for kind, message in self._plain.feed(fragment):
            if kind != SERVER_HELLO or self._keys is not None:
                raise ProtocolViolation("NoServerHello", f"handshake type {kind} instead of a server hello")
            hello = _parse_server_hello(message)
            if hello.is_retry:
                self._retry(hello, message)
            else:
                self._agree(hello, message)
        return None

    def _retry(self, hello: _ServerHello, message: bytes) -> None:
        """Answer a HelloRetryRequest: RFC 8446 sections 4.1.4 and 4.4.1."""
        if self._retried:
            raise ProtocolViolation("SecondRetry", "the server asked for a second retry")
        self._retried = True
        share = hello.extensions.get(EXT_KEY_SHARE)
        if share is not None:
            group = int.from_bytes(share, "big")
            if group not in GROUPS:
                raise ProtocolViolation("UnknownGroup", f"the server asks for group {group:#06x}")
            self._group = group
        digest = hashlib.new(SUITES[hello.suite].hash_name, self._transcript).digest()
        self._transcript = b"\xfe" + len(digest).to_bytes(3, "big") + digest + message
        self._to_send = self._hello(cookie=hello.extensions.get(EXT_COOKIE, b"")[2:])

    def _agree(self, hello: _ServerHello, message: bytes) -> None:
        share = hello.extensions.get(EXT_KEY_SHARE, b"")
        group, length = int.from_bytes(share[:2], "big"), int.from_bytes(share[2:4], "big")
        if group != self._group or len(share) != 4 + length:
            raise ProtocolViolation("BadKeyShare", "the server's key share is not for the group offered")
        shared = self._shares.exchange(group, share[4:])
        self._keys = _ServerKeys(SUITES[hello.suite], shared, self._transcript + message)

    def _read_sealed(self, content: bytes) -> Outcome | None:
        for kind, message in self._sealed.feed(content):
            if kind == CERTIFICATE:
                return ChainSeen(_certificates_13(message), "TLSv1.3")
            if kind not in (ENCRYPTED_EXTENSIONS, CERTIFICATE_REQUEST):
                raise ProtocolViolation("NoCertificate", f"handshake type {kind} instead of a certificate")
        return None


def server_handshake_key(suite: Suite, shared: bytes, transcript_hash: bytes) -> tuple[bytes, bytes]:
    """Key and IV of the server's handshake records: the key schedule as far as it matters here."""
    digest = suite.hash_name
    size = len(transcript_hash)
    handshake = hmac.digest(_derived_secret(digest), shared, digest)
    traffic = _expand_label(handshake, "s hs traffic", transcript_hash, size, digest)
    key = _expand_label(traffic, "key", b"", suite.key_length, digest)
    return key, _expand_label(traffic, "iv", b"", 12, digest)


@lru_cache
def _derived_secret(digest: str) -> bytes:
    """What the key schedule starts from without a pre-shared key: the same in every handshake."""
    empty = hashlib.new(digest).digest()
    size = len(empty)
    early = hmac.digest(bytes(size), bytes(size), digest)
    return _expand_label(early, "derived", empty, size, digest)


def _expand_label(secret: bytes, label: str, context: bytes, length: int, digest: str) -> bytes:
    """HKDF-Expand-Label (RFC 8446 section 7.1); one block is enough for every length used here."""
    name = b"tls13 " + label.encode("ascii")
    info = pack(">HB", length, len(name)) + name + bytes((len(context),)) + context + b"\x01"
    return hmac.digest(secret, info, digest)[:length]


def _parse_server_hello(message: bytes) -> _ServerHello:
    """Take a TLS 1.3 ServerHello apart. Raises `ProtocolViolation`."""
    # version (2), random (32), session id (1 + n), suite (2), compression (1), extensions (2 + n)
    if len(message) < 4 + 38:
        raise ProtocolViolation("BadServerHello", "the server's hello is too short")
    at = 39 + message[38]
    suite = int.from_bytes(message[at : at + 2], "big")
    extensions = _parse_extensions(message, at + 3)
    if extensions.get(EXT_SUPPORTED_VERSIONS) != pack(">H", TLS13):
        raise ProtocolViolation("NotTls13", "the server chose another version than the one offered")
    if suite not in SUITES:
        raise ProtocolViolation("UnknownSuite", f"the server chose cipher suite {suite:#06x}")
    return _ServerHello(suite, message[6:38] == _RETRY_RANDOM, extensions)


def _parse_extensions(message: bytes, at: int) -> dict[int, bytes]:
    end = len(message)
    if at + 2 + int.from_bytes(message[at : at + 2], "big") != end:
        raise ProtocolViolation("BadServerHello", "the extensions' length is wrong")
    at += 2
    extensions: dict[int, bytes] = {}
    while at < end:
        kind, length = (
            int.from_bytes(message[at : at + 2], "big"),
            int.from_bytes(message[at + 2 : at + 4], "big"),
        )
        if at + 4 + length > end:
            raise ProtocolViolation("BadServerHello", "an extension runs past the message")
        extensions[kind] = message[at + 4 : at + 4 + length]
        at += 4 + length
    return extensions


def _certificates_13(message: bytes) -> tuple[bytes, ...]:
    """The chain in a TLS 1.3 Certificate message. Raises `ProtocolViolation`."""
    end = len(message)
    first = 8 + (message[4] if end > 4 else 0)
    if end < first or int.from_bytes(message[first - 3 : first], "big") != end - first:
        raise ProtocolViolation("BadCertificateList", "the certificate list's length is wrong")
    chain = read_vectors(message, first, end, tls13=True)
    if not chain:
        raise ProtocolViolation("EmptyCertificateList", "the server's certificate list is empty")
    return chain
