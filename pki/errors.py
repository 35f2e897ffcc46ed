"""Every error this package raises, under one root, each with a stable code.

The docstring is the default message. ``LIBRARY_FAULTS`` names what the cryptography library raises, often
lazily, on hostile or unsupported input; parsers turn exactly those into a :class:`PkiError`.
"""

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm

LIBRARY_FAULTS: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    OverflowError,
    KeyError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    x509.AttributeNotFound,
    InvalidSignature,
    UnsupportedAlgorithm,
    InternalError,
)
"""What the cryptography library may raise while it reads bytes that somebody else made."""


class PkiError(Exception):
    """The input could not be used."""

    code = "pki"

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class InputTooLarge(PkiError):
    """The input is larger than anything legitimate of its kind."""

    code = "input_too_large"


class MalformedDer(PkiError):
    """The bytes are not well-formed DER."""

    code = "malformed_der"


class MalformedCsr(PkiError):
    """The text is not a PKCS#10 certificate signing request."""

    code = "malformed_csr"


class BadCsrSignature(PkiError):
    """The request is not signed by the key it contains."""

    code = "bad_csr_signature"


class PrivateKeyDisclosed(PkiError):
    """The text contains a private key; that key must be regarded as known to others."""

    code = "private_key_disclosed"


class MalformedCertificate(PkiError):
    """The bytes are not an X.509 certificate."""

    code = "malformed_certificate"


class MalformedBundle(PkiError):
    """The file is not a certificate bundle that can be read (PEM, DER, PKCS#7 or PKCS#12)."""

    code = "malformed_bundle"


class MalformedKey(PkiError):
    """The bytes are not a private or public key that can be read."""

    code = "malformed_key"


class MalformedKeyList(PkiError):
    """The text is not a list of known keys."""

    code = "malformed_key_list"


class WrongPassphrase(PkiError):
    """The passphrase does not open this key or bundle."""

    code = "wrong_passphrase"


class UnsupportedKey(PkiError):
    """This kind of key is not supported here."""

    code = "unsupported_key"


class KeyMismatch(PkiError):
    """The private key does not belong to the certificate."""

    code = "key_mismatch"


class InvalidName(PkiError):
    """The text is not a valid name of its kind."""

    code = "invalid_name"


class SealError(PkiError):
    """The envelope can not be made or opened with this key for this purpose."""

    code = "seal_error"


class WrongEncryptionKey(PkiError):
    """The blob was encrypted under another key-encryption key."""

    code = "wrong_encryption_key"


class UnwrapError(PkiError):
    """The blob is damaged, or was encrypted for another purpose."""

    code = "unwrap_error"


class BadSignature(PkiError):
    """The signature does not match the message, the context and the key."""

    code = "bad_signature"


class MalformedOcspRequest(PkiError):
    """The bytes are not an OCSP request that is answered here."""

    code = "malformed_ocsp_request"


class InvalidTemplate(PkiError):
    """A certificate or CRL that says this must not be signed."""

    code = "invalid_template"
