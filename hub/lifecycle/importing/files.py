"""The certificates in one file, by its name's ending. Private keys beside them are dropped at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pki import der
from pki.encodings import read_certificates, read_pkcs12
from pki.errors import MalformedDer, PkiError
from pki.findings import Finding

PLAIN = frozenset({".cer", ".crt", ".pem", ".der", ".p7b", ".p7c"})
WITH_KEY = frozenset({".p12", ".pfx"})
_ARCHIVES = frozenset({".zip", ".jar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".rar"})
MAX_CERTIFICATES = 200
# Each is a hash that the hub has to make; openssl, Java and Windows use between 2,000 and 100,000.
MAX_ITERATIONS = 1_000_000
_MAX_DEPTH = 24
_PEM_BEGIN = b"-----BEGIN "


@dataclass(frozen=True, slots=True)
class FileContents:
    """DER certificates of a file, in its order, or why there are none."""

    certificates: tuple[bytes, ...] = ()
    fault: Finding | None = None


def certificates_in(name: str, content: bytes, *, password: str) -> FileContents:
    """Return the certificates of a file; never raises."""
    ending = _ending(name)
    if ending in _ARCHIVES:
        return FileContents(fault=Finding("NestedArchive", "archives in the archive are not opened"))
    try:
        if ending in PLAIN:
            return _plain(content)
        if ending in WITH_KEY:
            return _pkcs12(content, password)
    except PkiError as fault:
        return FileContents(fault=Finding(type(fault).__name__, str(fault)))
    message = f"files are read that end in {', '.join(sorted(PLAIN | WITH_KEY))}"
    return FileContents(fault=Finding("FileTypeUnknown", message))


def _ending(name: str) -> str:
    base = name.rpartition("/")[2].lower()
    dot = base.rfind(".")
    return base[dot:] if dot >= 0 else ""


def _plain(content: bytes) -> FileContents:
    if content.count(_PEM_BEGIN) > MAX_CERTIFICATES:
        return FileContents(fault=_too_many())
    return _limited(read_certificates(content))


def _pkcs12(content: bytes, password: str) -> FileContents:
    if costs_too_much(content):
        message = f"opening the file takes more than {MAX_ITERATIONS} iterations of its key derivation"
        return FileContents(fault=Finding("TooManyIterations", message))
    # Files without a password are written with an empty one, or with none at all.
    contents = read_pkcs12(content, password.encode() if password else None)
    own = () if contents.certificate is None else (contents.certificate,)
    return _limited((*own, *contents.chain))


def _limited(certificates: tuple[bytes, ...]) -> FileContents:
    if not certificates:
        return FileContents(fault=Finding("NoCertificate", "there is no certificate in the file"))
    if len(certificates) > MAX_CERTIFICATES:
        return FileContents(fault=_too_many())
    return FileContents(certificates)


def _too_many() -> Finding:
    return Finding("TooManyCertificates", f"a file has at most {MAX_CERTIFICATES} certificates")


def costs_too_much(content: bytes) -> bool:
    """Whether a PKCS#12 file asks for absurd key derivation (RFC 7292, 4 and B; RFC 8018, A.2).

    A count stands right after its salt, in the parameters of each encryption and of the MAC.
    """
    return any(count > MAX_ITERATIONS for count in _iterations(content, _MAX_DEPTH))


def _iterations(content: bytes, depth: int) -> Iterator[int]:
    if depth == 0:
        return
    salted = False
    try:
        for element in der.read_children(content):
            if salted and element.tag == der.INTEGER:
                yield int.from_bytes(element.content, "big")
            salted = element.tag == der.OCTET_STRING
            # Constructed, or a string that wraps what is encoded once more.
            if element.tag & 0x20 or salted:
                yield from _iterations(element.content, depth - 1)
    except MalformedDer:
        return
