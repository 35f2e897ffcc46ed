"""OCSP answers (RFC 6960, 4.2): what is signed, and the signed bytes in two parts.

The responder's certificate comes last in a response. So a response is kept as a head of its own and a tail
that all responses of a responder share: a memory full of them takes a third of the room.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

from pki import der
from pki.algorithms import SignatureAlgorithm, algorithm_identifier
from pki.crls import REASON_CODES, RevocationReason
from pki.errors import InvalidTemplate
from pki.issuing import extension
from pki.ocsp import NONCE, public_key_bits

_BASIC = der.object_identifier("1.3.6.1.5.5.7.48.1.1")
_GOOD, _UNKNOWN = b"\x80\x00", b"\x82\x00"
_REVOKED = 0xA1


class ResponseStatus(IntEnum):
    """Answers that are not signed (RFC 6960, 4.2.1)."""

    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    UNAUTHORIZED = 6


@dataclass(frozen=True, slots=True)
class Revoked:
    """When and why a certificate was revoked."""

    at: datetime
    reason: RevocationReason = RevocationReason.UNSPECIFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleAnswer:
    """What is said about one certificate. ``known`` False: the CA never issued it."""

    cert_id: bytes
    """Encoded, as it was asked for."""
    known: bool
    revoked: Revoked | None = None
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True)
class SignedResponse:
    """A complete OCSPResponse: ``head`` followed by ``tail``."""

    head: bytes
    tail: bytes = field(repr=False)

    def der(self) -> bytes:
        """Return the response as it goes out."""
        return self.head + self.tail


def error_response(status: ResponseStatus) -> bytes:
    """Encode an answer that is not signed."""
    return der.sequence(der.enumerated(status))


def responder_id(certificate: bytes) -> bytes:
    """Encode the ResponderID of a responder's certificate, by its key."""
    key_hash = hashlib.sha1(public_key_bits(certificate), usedforsecurity=False).digest()
    return der.explicit(2, der.octet_string(key_hash))


def build_response_data(
    responder: bytes, answers: Sequence[SingleAnswer], *, produced_at: datetime, nonce: bytes | None = None
) -> bytes:
    """Encode the ResponseData that is signed; ``responder`` is an encoded ResponderID.

    Raises:
        InvalidTemplate: an answer would end before it begins.
    """
    extensions = b""
    if nonce is not None:
        extensions = der.explicit(1, der.sequence(extension(NONCE, der.octet_string(nonce))))
    return der.sequence(
        responder, _time(produced_at), der.sequence(*(_single(answer) for answer in answers)), extensions
    )


def assemble_response(
    data: bytes, algorithm: SignatureAlgorithm, signature: bytes, *, certificates: bytes
) -> SignedResponse:
    """Put signed data, signature and :func:`certificate_list` together."""
    basic = der.sequence(data, algorithm_identifier(algorithm), der.bit_string(signature), certificates)
    whole = der.sequence(der.enumerated(0), der.explicit(0, der.sequence(_BASIC, der.octet_string(basic))))
    return SignedResponse(whole[: len(whole) - len(certificates)], certificates)


def certificate_list(certificate: bytes) -> bytes:
    """Encode the certificates of a response: the responder's own."""
    return der.explicit(0, der.sequence(certificate))


def _single(answer: SingleAnswer) -> bytes:
    if answer.next_update <= answer.this_update:
        raise InvalidTemplate("the next update must come after this one")
    return der.sequence(
        answer.cert_id,
        _status(answer),
        _time(answer.this_update),
        der.explicit(0, _time(answer.next_update)),
    )


def _status(answer: SingleAnswer) -> bytes:
    if answer.revoked is not None:
        code = REASON_CODES[answer.revoked.reason]
        reason = der.explicit(0, der.enumerated(code)) if code else b""
        return der.tlv(_REVOKED, _time(answer.revoked.at), reason)
    return _GOOD if answer.known else _UNKNOWN


def _time(moment: datetime) -> bytes:
    # Always GeneralizedTime here, unlike in certificates (RFC 6960, 4.2.2.1).
    utc = moment.astimezone(UTC)
    return der.tlv(der.GENERALIZED_TIME, f"{utc.year:04}{utc:%m%d%H%M%S}Z".encode())
