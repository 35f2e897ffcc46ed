"""Reading the PEM files that a server's configuration names.

Only public facts leave this module: fingerprints, and whether a key belongs to a certificate. The key itself
is read for that comparison and dropped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization

from agents.network.servers.errors import CertificateUnreadableError
from agents.network.servers.model import CertificateFiles, Manageability

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_FILE_LIMIT = 1 << 20
_NOT_A_FILE = re.compile(r"\$|^(pkcs11|engine|data|store):")
_PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, lower-case hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def read_certificates(path: Path) -> list[x509.Certificate]:
    """All certificates of a PEM file, in order; raises CertificateUnreadableError."""
    try:
        return x509.load_pem_x509_certificates(read_small_file(path))
    except ValueError as error:
        raise CertificateUnreadableError(f"{path} holds no readable certificate") from error


def leaf_fingerprint(path: Path) -> str | None:
    """SHA-256 of the first certificate of a file, or None when there is none to read."""
    try:
        return fingerprint(read_certificates(path)[0])
    except CertificateUnreadableError:
        return None


def key_is_encrypted(path: Path) -> bool:
    """Whether a PEM file holds a key under a passphrase."""
    try:
        data = read_small_file(path)
    except CertificateUnreadableError:
        return False
    return b"ENCRYPTED" in data


def pair_problem(files: CertificateFiles) -> str | None:
    """What is wrong with a certificate and key pair on disk, or None.

    Apache's own check does not look at this, and a reload with such a pair ends the whole server.
    """
    try:
        certificate = read_certificates(files.certificate)[0]
        key = _private_key_block(read_small_file(files.key))
        matching = key_matches(certificate, serialization.load_pem_private_key(key, password=None))
    except CertificateUnreadableError as error:
        return str(error)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return f"{files.key} holds no readable key"
    return None if matching else f"{files.key} is not the key of {files.certificate}"


def key_matches(certificate: x509.Certificate, key: PrivateKeyTypes) -> bool:
    """Whether a certificate was issued for the public half of this key."""
    ours, theirs = (
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        for public in (key.public_key(), certificate.public_key())
    )
    return ours == theirs


def _private_key_block(pem: bytes) -> bytes:
    """The first private key of a PEM file, which may hold parameters and certificates as well."""
    found = _PRIVATE_KEY.search(pem)
    return found.group() if found else b""


def read_small_file(path: Path) -> bytes:
    """A file of at most a megabyte; raises CertificateUnreadableError."""
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_LIMIT + 1)
    except OSError as error:
        raise CertificateUnreadableError(f"{path}: {error.strerror}") from error
    if len(data) > _FILE_LIMIT:
        raise CertificateUnreadableError(f"{path} is larger than a certificate file can be")
    return data


def judged_files(
    folder: Path, certificates: Sequence[str], keys: Sequence[str], chain: str | None = None
) -> tuple[CertificateFiles | None, Manageability]:
    """Turn what a configuration names into files, and say why an installer should not replace them.

    Relative names are taken from `folder`. Several certificates (one a key type), keys in tokens, names that
    are computed at run time and keys under a passphrase are left to people.
    """
    named = (*certificates, *keys, *((chain,) if chain else ()))
    if odd := next((name for name in named if _NOT_A_FILE.search(name)), None):
        return None, Manageability("NotAFile", f"{odd} is not the name of a file")
    if not certificates or not keys:
        return None, Manageability(
            "NoCertificateFile", "the configuration names no certificate file of its own"
        )
    if len(certificates) > 1 or len(keys) > 1:
        return None, Manageability("SeveralCertificates", "the configuration names more than one certificate")
    files = CertificateFiles(folder / certificates[0], folder / keys[0], folder / chain if chain else None)
    if files.chain == files.certificate:
        files = CertificateFiles(files.certificate, files.key)
    if key_is_encrypted(files.key):
        return files, Manageability("KeyEncrypted", f"the key in {files.key} is under a passphrase")
    return files, Manageability()
