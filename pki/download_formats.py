"""The formats in which a certificate and its issuers are downloaded: extensions, media types, writers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from pki.chains import is_issued_by, order_chain
from pki.encodings import certificates_pem, pem_block, write_pkcs7


class DownloadFormat(StrEnum):
    """Names that appear in addresses and in the API."""

    CERTIFICATE_ONLY = "x509CO"
    """The certificate, PEM."""
    WITH_ISSUERS_AFTER = "pemia"
    """The certificate, then its intermediates, PEM: what most TLS servers load. The root is left out."""
    WITH_CHAIN = "x509"
    """Root first, then intermediates, the certificate last, PEM."""
    PKCS7_PEM = "base64"
    PKCS7_DER = "bin"
    ROOT_AND_INTERMEDIATES = "x509IO"
    """The issuers only, root first, PEM."""
    INTERMEDIATES_AND_ROOT = "x509IOR"
    """The issuers only, root last, PEM."""


@dataclass(frozen=True, slots=True)
class FileType:
    """How a format is named and served."""

    extension: str
    """With the dot."""
    media_type: str


_PEM_FILE = FileType(".pem", "application/x-pem-file")
FILE_TYPES = {
    DownloadFormat.CERTIFICATE_ONLY: FileType(".cer", "application/x-pem-file"),
    DownloadFormat.WITH_ISSUERS_AFTER: _PEM_FILE,
    DownloadFormat.WITH_CHAIN: _PEM_FILE,
    DownloadFormat.PKCS7_PEM: FileType(".p7b", "application/x-pem-file"),
    DownloadFormat.PKCS7_DER: FileType(".p7b", "application/x-pkcs7-certificates"),
    DownloadFormat.ROOT_AND_INTERMEDIATES: _PEM_FILE,
    DownloadFormat.INTERMEDIATES_AND_ROOT: _PEM_FILE,
}
"""Format -> file extension and media type."""


def _server_chain(chain: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return chain[:1] + tuple(der for der in chain[1:] if not is_issued_by(der, der))


_WRITERS: dict[DownloadFormat, Callable[[tuple[bytes, ...]], bytes]] = {
    DownloadFormat.CERTIFICATE_ONLY: lambda chain: certificates_pem(chain[:1]),
    DownloadFormat.WITH_ISSUERS_AFTER: lambda chain: certificates_pem(_server_chain(chain)),
    DownloadFormat.WITH_CHAIN: lambda chain: certificates_pem(reversed(chain)),
    DownloadFormat.PKCS7_PEM: lambda chain: pem_block("PKCS7", write_pkcs7(chain)),
    DownloadFormat.PKCS7_DER: write_pkcs7,
    DownloadFormat.ROOT_AND_INTERMEDIATES: lambda chain: certificates_pem(reversed(chain[1:])),
    DownloadFormat.INTERMEDIATES_AND_ROOT: lambda chain: certificates_pem(chain[1:]),
}


def download(certificate: bytes, issuers: Iterable[bytes], download_format: DownloadFormat) -> bytes:
    """Return a DER certificate and its issuers (in any order) in one format; raise MalformedCertificate."""
    return _WRITERS[download_format](order_chain(certificate, issuers))
