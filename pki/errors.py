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

    code = "Pki"

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class InputTooLarge(PkiError):
    """The input is larger than anything legitimate of its kind."""

    code = "InputTooLarge"


class MalformedDer(PkiError):
    """The bytes are not well-formed DER."""

    code = "MalformedDer"


class MalformedCsr(PkiError):
    """The text is not a PKCS#10 certificate signing request."""

    code = "MalformedCsr"


class BadCsrSignature(PkiError):
    """The request is not signed by the key it contains."""

    code = "BadCsrSignature"


class PrivateKeyDisclosed(PkiError):
    """The text contains a private key; that key must be regarded as known to others."""

    code = "PrivateKeyDisclosed"


class MalformedCertificate(PkiError):
    """The bytes are not an X.509 certificate."""

    code = "MalformedCertificate"


class MalformedBundle(PkiError):
    """The file is not a certificate bundle that can be read (PEM, DER, PKCS#7 or PKCS#12)."""

    code = "MalformedBundle"


class MalformedKey(PkiError):
    """The bytes are not a private or public key that can be read."""

    code = "MalformedKey"


class WrongPassphrase(PkiError):
    """The passphrase does not open this key or bundle."""

    code = "WrongPassphrase"


class UnsupportedKey(PkiError):
    """This kind of key is not supported here."""

    code = "UnsupportedKey"


class KeyMismatch(PkiError):
    """The private key does not belong to the certificate."""

    code = "KeyMismatch"


class InvalidName(PkiError):
    """The text is not a valid name of its kind."""

    code = "InvalidName"


class SealError(PkiError):
    """The envelope can not be made or opened with this key for this purpose."""

    code = "SealError"


class WrongEncryptionKey(PkiError):
    """The blob was encrypted under another key-encryption key."""

    code = "WrongEncryptionKey"


class UnwrapError(PkiError):
    """The blob is damaged, or was encrypted for another purpose."""

    code = "UnwrapError"


class BadSignature(PkiError):
    """The signature does not match the message, the context and the key."""

    code = "BadSignature"


class InvalidTemplate(PkiError):
    """A certificate or CRL that says this must not be signed."""

    code = "InvalidTemplate"
