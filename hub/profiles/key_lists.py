"""Reading which keys are compromised from what people have: digests, or something with the key in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cryptography.hazmat.primitives import serialization

from hub.profiles.errors import InvalidKeyList
from pki.certificates import parse_certificate
from pki.csrs import parse_csr
from pki.encodings import read_certificates
from pki.errors import LIBRARY_FAULTS, MalformedKey, PkiError
from pki.keys import spki_sha256

MAX_IMPORTED_KEYS = 200_000
_HEX_DIGITS = frozenset("0123456789abcdef")
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)


def read_keys(text: str) -> list[str]:
    """Return the keys that a text names, as SHA-256 of the SubjectPublicKeyInfo in lower-case hex.

    The text is PEM (certificates, a signing request, public keys), or a list of such digests, one a line:
    colons between the octets and whatever follows the first blank don't count, ``#`` begins a comment.

    Raises:
        InvalidKeyList: a part is something else, or there is nothing, or there is too much.
    """
    found = _of_pem(text) if "-----BEGIN " in text else _of_list(text)
    keys = list(dict.fromkeys(found))
    if not keys:
        raise InvalidKeyList("there is no key in this", field="keys")
    if len(keys) > MAX_IMPORTED_KEYS:
        raise InvalidKeyList(f"at most {MAX_IMPORTED_KEYS} keys at once, not {len(keys)}", field="keys")
    return keys


def _of_list(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        digest = words[0].replace(":", "").lower()
        if len(digest) != 64 or not _HEX_DIGITS.issuperset(digest):
            raise InvalidKeyList(f"line {number}: {words[0][:70]!r} is not a SHA-256 in hex", field="keys")
        yield digest


def _of_pem(text: str) -> Iterator[str]:
    for match in _PEM.finditer(text):
        block = match[0].encode()
        try:
            yield from _of_block(match[1], block)
        except PkiError as fault:
            raise InvalidKeyList(f"the {match[1].lower()} can't be read: {fault}", field="keys") from fault


def _of_block(label: str, block: bytes) -> Iterator[str]:
    if label == "CERTIFICATE":
        yield from (parse_certificate(der).spki_sha256 for der in read_certificates(block))
    elif label.endswith("CERTIFICATE REQUEST"):
        yield parse_csr(block).spki_sha256
    elif label == "PUBLIC KEY":
        yield _of_public_key(block)
    else:
        message = f"a {label.lower()} is not taken: paste the certificate, its request or the public key"
        raise InvalidKeyList(message, field="keys")


def _of_public_key(block: bytes) -> str:
    try:
        return spki_sha256(serialization.load_pem_public_key(block))
    except LIBRARY_FAULTS as fault:
        raise MalformedKey from fault
