"""What a server's answer to a hello can come to. One of these ends every conversation."""

from __future__ import annotations

from dataclasses import dataclass

# RFC 8446 section 6, RFC 5246 section 7.2, and older ones still met.
_ALERT_NAMES = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}
_EXCERPT_LENGTH = 64


@dataclass(frozen=True, slots=True)
class ChainSeen:
    """The server showed its certificates, in its order, as DER; nothing about them has been checked."""

    chain: tuple[bytes, ...]
    version: str


@dataclass(frozen=True, slots=True)
class AlertSeen:
    """The server refused with a fatal alert."""

    code: int

    @property
    def name(self) -> str:
        """The alert's name in the RFC, or its number."""
        return _ALERT_NAMES.get(self.code, f"alert_{self.code}")


@dataclass(frozen=True, slots=True)
class NeedsTls13:
    """The server chose TLS 1.3 although the hello was for TLS 1.2."""


@dataclass(frozen=True, slots=True)
class NotTls:
    """The first bytes are no TLS record; `excerpt` shows them in printable form."""

    excerpt: str


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The answer is, or says it will be, larger than the limit in bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """TLS records with something wrong inside; `reason` is a stable word."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ClosedEarly:
    """The server closed the connection before it had shown a certificate."""

    received: int


Outcome = ChainSeen | AlertSeen | NeedsTls13 | NotTls | TooLarge | Malformed | ClosedEarly


def excerpt(data: bytes) -> str:
    """The first bytes of what is not TLS, printable ASCII only, the rest escaped."""
    return data[:_EXCERPT_LENGTH].decode("latin-1").encode("unicode_escape").decode("ascii")
