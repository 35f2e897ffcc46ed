"""OCSP requests (RFC 6960, 4.1): a strict parser, and the identifiers that requests and answers share.

A responder is asked by anybody, so the parser takes DER only, reads each octet once and gives up at fixed
limits. Answers are made in :mod:`pki.ocsp_responses`.
"""

import base64
import binascii
import hashlib
import urllib.parse
from dataclasses import dataclass, field

from pki import der
from pki.certificates import load_certificate
from pki.errors import MalformedDer, MalformedOcspRequest

MAX_REQUEST_BYTES = 8192
"""Room for a signed request with its certificates; an ordinary one has about 80 octets."""
MAX_CERT_IDS = 16
MAX_NONCE_BYTES = 128
"""RFC 9654, 2.1: 1 to 128 octets."""

NONCE = "1.3.6.1.5.5.7.48.1.2"
_HASHES = {"1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.1": "sha256"}
_HASH_OIDS = {name: dotted for dotted, name in _HASHES.items()}
_MAX_SERIAL_BYTES = 21
_VERSION_1 = der.integer(0)
_NULL = der.tlv(der.NULL)
# Unknown extensions are ignored unless they are critical (RFC 6960, 4.4); these change no answer of ours.
_UNDERSTOOD = frozenset({NONCE, "1.3.6.1.5.5.7.48.1.4", "1.3.6.1.5.5.7.48.1.8"})


@dataclass(frozen=True, slots=True)
class CertId:
    """Which certificate is asked for. ``hash_name``: "sha1", "sha256", or the OID of another hash."""

    hash_name: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int
    encoded: bytes = field(repr=False)
    """As it was sent: an answer repeats it octet by octet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspRequest:
    """A request that was understood."""

    cert_ids: tuple[CertId, ...]
    nonce: bytes | None
    is_plain: bool
    """One certificate and nothing else (RFC 5019, 2.1.1): the answer is the same for everybody."""


@dataclass(frozen=True, slots=True)
class IssuerHashes:
    """How requests name one CA: hash name -> (hash of its subject, hash of its key)."""

    pairs: dict[str, tuple[bytes, bytes]]

    @classmethod
    def of(cls, certificate: bytes) -> "IssuerHashes":
        """Compute them from a CA certificate's DER; raise MalformedCertificate."""
        loaded = load_certificate(certificate)
        subject, key = loaded.subject.public_bytes(), public_key_bits(certificate)
        return cls({name: (_digest(name, subject), _digest(name, key)) for name in _HASH_OIDS})

    def match(self, cert_id: CertId) -> bool:
        """Tell whether the CA is the issuer that is meant."""
        return self.pairs.get(cert_id.hash_name) == (cert_id.issuer_name_hash, cert_id.issuer_key_hash)


def public_key_bits(certificate: bytes) -> bytes:
    """Return the subjectPublicKey of a certificate without tag, length and unused bits (RFC 6960, 4.1.1)."""
    tbs = next(der.read_children(der.read_element(certificate).content))
    fields = [item for item in der.read_children(tbs.content) if item.tag != 0xA0]
    # serial, algorithm, issuer, validity, subject, subjectPublicKeyInfo (RFC 5280, 4.1)
    _, key = der.read_children(fields[5].content)
    return key.content[1:]


def _digest(name: str, data: bytes) -> bytes:
    return hashlib.new(name, data, usedforsecurity=False).digest()


def encode_cert_id(
    issuer: IssuerHashes, serial: int, *, hash_name: str = "sha1", null_parameters: bool = True
) -> bytes:
    """Encode a CertID. With SHA-1 and NULL parameters it is what nearly all clients send."""
    name_hash, key_hash = issuer.pairs[hash_name]
    parameters = _NULL if null_parameters else b""
    algorithm = der.sequence(der.object_identifier(_HASH_OIDS[hash_name]), parameters)
    return der.sequence(
        algorithm, der.octet_string(name_hash), der.octet_string(key_hash), der.integer(serial)
    )


def plain_request(cert_id: bytes) -> bytes:
    """Encode the request of the lightweight profile (RFC 5019, 2.1.1) for one encoded CertID."""
    return der.sequence(der.sequence(der.sequence(der.sequence(cert_id))))


def plain_requests(issuer: IssuerHashes, serial: int) -> list[bytes]:
    """Return every plain request for a certificate: each hash, with NULL parameters and without."""
    return [
        plain_request(encode_cert_id(issuer, serial, hash_name=name, null_parameters=null))
        for name in issuer.pairs
        for null in (True, False)
    ]


def request_from_path(text: str) -> bytes:
    """Decode the last part of a GET address (RFC 6960, A.1): base64, with or without percent-encoding.

    Raises:
        MalformedOcspRequest: it is not base64, or too long.
    """
    if len(text) > 3 * MAX_REQUEST_BYTES:
        raise MalformedOcspRequest("the request is too long for an address")
    plain = urllib.parse.unquote(text) if "%" in text else text
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise MalformedOcspRequest("the address does not end in base64") from fault


def path_of_request(request: bytes) -> str:
    """Return the last part of a GET address for a request, before percent-encoding."""
    return base64.b64encode(request).decode("ascii")


def parse_request(data: bytes) -> OcspRequest:
    """Read an OCSPRequest; raise MalformedOcspRequest.

    The signature of a signed request is not looked at: answers are the same for everybody.
    """
    if len(data) > MAX_REQUEST_BYTES:
        raise MalformedOcspRequest(f"a request has at most {MAX_REQUEST_BYTES} octets")
    try:
        return _parse(data)
    except MalformedDer as fault:
        raise MalformedOcspRequest(str(fault)) from fault


def _parse(data: bytes) -> OcspRequest:
    parts = _Parts(_only(data, der.SEQUENCE))
    request = _Parts(parts.take(der.SEQUENCE))
    signature = parts.optional(0xA0)
    if signature is not None:
        _only(signature, der.SEQUENCE)
    parts.end()
    version = request.optional(0xA0)
    if version is not None and version != _VERSION_1:
        raise MalformedOcspRequest("the version is not 1")
    requestor = request.optional(0xA1)
    if requestor is not None:
        _general_name(requestor)
    cert_ids = _cert_ids(request.take(der.SEQUENCE))
    extensions = request.optional(0xA2)
    request.end()
    nonce = None if extensions is None else _nonce(_extensions(extensions))
    is_plain = len(cert_ids) == 1 and data == plain_request(cert_ids[0].encoded)
    return OcspRequest(cert_ids=cert_ids, nonce=nonce, is_plain=is_plain)


def _general_name(content: bytes) -> None:
    name = der.read_element(content)
    if len(name.encoded) != len(content) or name.tag & 0xC0 != 0x80:
        raise MalformedOcspRequest("the requestor's name is not a GeneralName")


def _cert_ids(content: bytes) -> tuple[CertId, ...]:
    requests = _Parts(content)
    found: list[CertId] = []
    while requests.more:
        if len(found) == MAX_CERT_IDS:
            raise MalformedOcspRequest(f"a request asks for at most {MAX_CERT_IDS} certificates")
        single = _Parts(requests.take(der.SEQUENCE))
        found.append(_cert_id(single.take_encoded(der.SEQUENCE)))
        extensions = single.optional(0xA0)
        single.end()
        if extensions is not None:
            _extensions(extensions)
    if not found:
        raise MalformedOcspRequest("the request asks for nothing")
    return tuple(found)


def _cert_id(encoded: bytes) -> CertId:
    parts = _Parts(_only(encoded, der.SEQUENCE))
    algorithm = _Parts(parts.take(der.SEQUENCE))
    dotted = der.read_object_identifier(algorithm.take(der.OID))
    if algorithm.more and algorithm.take(der.NULL):
        raise MalformedOcspRequest("NULL has no content")
    algorithm.end()
    name_hash, key_hash = parts.take(der.OCTET_STRING), parts.take(der.OCTET_STRING)
    serial = parts.take(der.INTEGER)
    parts.end()
    name = _HASHES.get(dotted)
    if name is not None and {len(name_hash), len(key_hash)} != {hashlib.new(name).digest_size}:
        raise MalformedOcspRequest("a hash has not the length of its algorithm")
    return CertId(name or dotted, name_hash, key_hash, _serial(serial), encoded)


def _serial(content: bytes) -> int:
    if not 1 <= len(content) <= _MAX_SERIAL_BYTES:
        raise MalformedOcspRequest("a serial number has 1 to 21 octets")
    if len(content) > 1 and (content[0], content[1] >> 7) in {(0x00, 0), (0xFF, 1)}:
        raise MalformedOcspRequest("the serial number is not DER")
    return int.from_bytes(content, "big", signed=True)


def _extensions(explicit: bytes) -> dict[str, bytes]:
    sequence = _Parts(_only(explicit, der.SEQUENCE))
    found: dict[str, bytes] = {}
    while sequence.more:
        parts = _Parts(sequence.take(der.SEQUENCE))
        dotted = der.read_object_identifier(parts.take(der.OID))
        flag = parts.optional(der.BOOLEAN)
        value = parts.take(der.OCTET_STRING)
        parts.end()
        if flag not in {None, b"\x00", b"\xff"}:
            raise MalformedOcspRequest("a BOOLEAN is not DER")
        if flag == b"\xff" and dotted not in _UNDERSTOOD:
            raise MalformedOcspRequest(f"the critical extension {dotted} is not known here")
        if dotted in found:
            raise MalformedOcspRequest(f"the extension {dotted} is there twice")
        found[dotted] = value
    return found


def _nonce(extensions: dict[str, bytes]) -> bytes | None:
    if NONCE not in extensions:
        return None
    nonce = _only(extensions[NONCE], der.OCTET_STRING)
    if not 1 <= len(nonce) <= MAX_NONCE_BYTES:
        raise MalformedOcspRequest(f"a nonce has 1 to {MAX_NONCE_BYTES} octets")
    return nonce


def _only(data: bytes, tag: int) -> bytes:
    parts = _Parts(data)
    content = parts.take(tag)
    parts.end()
    return content


class _Parts:
    """Takes the elements of a constructed one in turn."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._offset = 0

    @property
    def more(self) -> bool:
        return self._offset < len(self._content)

    def take(self, tag: int) -> bytes:
        return self._next(tag).content

    def take_encoded(self, tag: int) -> bytes:
        return self._next(tag).encoded

    def optional(self, tag: int) -> bytes | None:
        if not self.more or self._content[self._offset] != tag:
            return None
        return self.take(tag)

    def end(self) -> None:
        if self.more:
            raise MalformedOcspRequest("something stands where the request has nothing")

    def _next(self, tag: int) -> der.Element:
        element = der.read_element(self._content, self._offset)
        if element.tag != tag:
            raise MalformedOcspRequest(f"tag {element.tag:02x} stands where {tag:02x} is expected")
        length = len(element.content)
        size = 0 if length < 0x80 else (length.bit_length() + 7) // 8
        if len(element.encoded) != 2 + size + length:
            raise MalformedOcspRequest("a length is not DER")
        self._offset += len(element.encoded)
        return element
