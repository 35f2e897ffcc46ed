"""A private key in a file, sealed between an agent and a person: downloads from a store, uploads into one.

The hub carries the envelopes and can't open them. A download holds the file and the passphrase that the agent
chose for it; an upload the file as its owner has it, with its passphrase. The envelope is that of
:mod:`pki.sealing`; its ``info`` is a JSON array, so that a browser composes the same bytes, and names what
the envelope is for: another certificate, agent, download or format opens nothing. Envelopes do not say who
made them: whoever takes a key compares it with the certificate.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography import x509

from pki.algorithms import SigningKey
from pki.encodings import certificates_pem, read_pkcs12, write_pkcs12
from pki.errors import KeyMismatch, MalformedKey, SealError, WrongPassphrase
from pki.keys import decode_private_key, encode_private_key_pem, key_matches
from pki.sealing import ReceiverKey, open_sealed, seal

_DOWNLOAD, _UPLOAD = "certwright-key-download-v1", "certwright-key-upload-v1"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
_GROUPS, _GROUP = 5, 5
MAX_FILE_BYTES = 256 * 1024


class KeyFileFormat(StrEnum):
    """Files that a key is downloaded in, with its certificates."""

    PKCS12 = "pkcs12"
    """AES-256 and SHA-256."""
    PKCS12_LEGACY = "pkcs12_legacy"
    """3DES and SHA-1, which Windows before Server 2019 needs."""
    PEM = "pem"
    """Encrypted PKCS#8, then the certificates."""

    @property
    def extension(self) -> str:
        """The file name's end."""
        return "pem" if self is KeyFileFormat.PEM else "p12"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """A file with a private key, and the passphrase that opens it (empty: none)."""

    content: bytes = field(repr=False)
    passphrase: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadContext:
    """What the envelope of a download is bound to; ``certificate_sha256`` in lower-case hex."""

    download_id: str
    agent_id: str
    certificate_sha256: str
    format: str

    @property
    def info(self) -> bytes:
        """The bytes that both sides compose."""
        parts = (_DOWNLOAD, self.download_id, self.agent_id, self.certificate_sha256, self.format)
        return _info(*parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadContext:
    """What the envelope of an upload is bound to."""

    agent_id: str
    certificate_sha256: str

    @property
    def info(self) -> bytes:
        """The bytes that both sides compose."""
        return _info(_UPLOAD, self.agent_id, self.certificate_sha256)


def new_passphrase() -> str:
    """Return 25 random letters and digits in groups, about 145 bits; none that is mistaken for another."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def make_key_file(
    key: SigningKey, chain: Sequence[bytes], *, file_format: KeyFileFormat, name: str
) -> KeyFile:
    """Make a file of a key and its certificates (DER, leaf first), under a new passphrase.

    Raises:
        PkiError: the key is not the leaf's, or the format can't hold it.
    """
    passphrase = new_passphrase()
    leaf, *issuers = chain
    if not key_matches(key, leaf):
        raise KeyMismatch
    if file_format is KeyFileFormat.PEM:
        content = encode_private_key_pem(key, passphrase.encode()) + certificates_pem(chain)
    else:
        content = write_pkcs12(
            key,
            leaf,
            chain=issuers,
            passphrase=passphrase.encode(),
            name=name,
            legacy=file_format is KeyFileFormat.PKCS12_LEGACY,
        )
    return KeyFile(content=content, passphrase=passphrase)


def read_private_key(file: KeyFile) -> SigningKey:
    """Return the private key of a file: PEM, DER or PKCS#12, encrypted or not.

    Raises:
        PkiError: there is none, it is of a kind that is not used here, or the passphrase is wrong.
    """
    passphrase = file.passphrase.encode() or None
    try:
        return decode_private_key(file.content, passphrase)
    except (MalformedKey, WrongPassphrase):
        if b"-----BEGIN" in file.content:
            raise
        # DER that is no key by itself: then it has to be PKCS#12.
        key = read_pkcs12(file.content, passphrase).private_key
    if key is None:
        raise MalformedKey("the file holds certificates only")
    return key


def seal_file(receiver: bytes, file: KeyFile, context: DownloadContext | UploadContext) -> bytes:
    """Seal a file with its passphrase to a raw X25519 public key; raise SealError."""
    document = {
        "content": base64.b64encode(file.content).decode(),
        "passphrase": file.passphrase,
    }
    return seal(receiver, json.dumps(document).encode(), info=context.info)


def open_file(private: ReceiverKey, envelope: bytes, context: DownloadContext | UploadContext) -> KeyFile:
    """Open an envelope; raise SealError where it is damaged or was made for something else."""
    plain = open_sealed(private, envelope, info=context.info)
    try:
        document = json.loads(plain)
        content = base64.b64decode(document["content"], validate=True)
        passphrase = document["passphrase"]
    except (ValueError, KeyError, TypeError, binascii.Error) as fault:
        raise SealError("the envelope holds no key file") from fault
    if not isinstance(passphrase, str) or len(content) > MAX_FILE_BYTES:
        raise SealError("the envelope holds no key file, or one that is too large")
    return KeyFile(content=content, passphrase=passphrase)


def file_name(leaf: bytes, file_format: KeyFileFormat) -> str:
    """Return a name for a downloaded file, by the certificate's common name."""
    subject = x509.load_der_x509_certificate(leaf).subject
    names = subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    text = str(names[0].value) if names else "certificate"
    safe = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in text)
    return f"{safe.strip('.') or 'certificate'}.{file_format.extension}"


def _info(*parts: str) -> bytes:
    return json.dumps(parts, separators=(",", ":")).encode()
