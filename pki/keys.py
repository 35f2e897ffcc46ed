"""Private and public keys: generation, names, PKCS#8 (RFC 5958), SubjectPublicKeyInfo fingerprints.

Key type names are stable strings that profiles, the database and the agents' protocol use. Nothing here
writes a private key anywhere; ``repr`` of the library's key objects does not show them.
"""

import hashlib
import hmac
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa, x448, x25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from pki.algorithms import SigningKey, VerifyingKey, ml_dsa_algorithm
from pki.errors import LIBRARY_FAULTS, InputTooLarge, MalformedKey, UnsupportedKey, WrongPassphrase

MAX_KEY_BYTES = 64 * 1024


class KeyType(StrEnum):
    """Key types that can be generated and that profiles may allow."""

    RSA_2048 = "RSA-2048"
    RSA_3072 = "RSA-3072"
    RSA_4096 = "RSA-4096"
    EC_P256 = "EC-P256"
    EC_P384 = "EC-P384"
    EC_P521 = "EC-P521"
    ED25519 = "Ed25519"
    ML_DSA_44 = "ML-DSA-44"
    ML_DSA_65 = "ML-DSA-65"
    ML_DSA_87 = "ML-DSA-87"


ML_DSA = frozenset({KeyType.ML_DSA_44, KeyType.ML_DSA_65, KeyType.ML_DSA_87})
"""Post-quantum signatures (FIPS 204), which only private trust has so far."""
_RSA_BITS = {KeyType.RSA_2048: 2048, KeyType.RSA_3072: 3072, KeyType.RSA_4096: 4096}
_CURVES: dict[KeyType, ec.EllipticCurve] = {
    KeyType.EC_P256: ec.SECP256R1(),
    KeyType.EC_P384: ec.SECP384R1(),
    KeyType.EC_P521: ec.SECP521R1(),
}
_CURVE_NAMES = {curve.name: key_type.value for key_type, curve in _CURVES.items()}


def generate_key(key_type: KeyType) -> SigningKey:
    """Generate a private key; RSA-4096 may take seconds, so call it in a thread."""
    if key_type in _RSA_BITS:
        return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS[key_type])
    if key_type in _CURVES:
        return ec.generate_private_key(_CURVES[key_type])
    match key_type:
        case KeyType.ML_DSA_44:
            return mldsa.MLDSA44PrivateKey.generate()
        case KeyType.ML_DSA_65:
            return mldsa.MLDSA65PrivateKey.generate()
        case KeyType.ML_DSA_87:
            return mldsa.MLDSA87PrivateKey.generate()
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def key_type_of(public_key: PublicKeyTypes) -> str:
    """Name the type of any public key: a KeyType's value where there is one, else like ``RSA-1024``."""
    match public_key:
        case rsa.RSAPublicKey():
            return f"RSA-{public_key.key_size}"
        case ec.EllipticCurvePublicKey():
            return _CURVE_NAMES.get(public_key.curve.name, f"EC-{public_key.curve.name}")
        case ed25519.Ed25519PublicKey():
            return KeyType.ED25519.value
        case mldsa.MLDSA44PublicKey() | mldsa.MLDSA65PublicKey() | mldsa.MLDSA87PublicKey():
            return ml_dsa_algorithm(public_key).value
        case dsa.DSAPublicKey():
            return f"DSA-{public_key.key_size}"
        case _:
            return type(public_key).__name__.removesuffix("PublicKey")


def key_bits(public_key: PublicKeyTypes) -> int:
    """Return the size of a public key in bits; 0 where a size says nothing (post-quantum keys)."""
    match public_key:
        case rsa.RSAPublicKey() | dsa.DSAPublicKey() | ec.EllipticCurvePublicKey():
            return public_key.key_size
        case ed25519.Ed25519PublicKey() | x25519.X25519PublicKey():
            return 256
        case ed448.Ed448PublicKey() | x448.X448PublicKey():
            return 448
        case _:
            return 0


def spki_der(public_key: PublicKeyTypes) -> bytes:
    """Encode a public key as a DER SubjectPublicKeyInfo."""
    return public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def spki_sha256(public_key: PublicKeyTypes) -> str:
    """Return the hex SHA-256 of the SubjectPublicKeyInfo: the identity of a key pair."""
    return hashlib.sha256(spki_der(public_key)).hexdigest()


def key_matches(private_key: SigningKey, certificate: x509.Certificate | bytes) -> bool:
    """Tell whether a private key belongs to a certificate (object or DER); a malformed one never does."""
    try:
        loaded = (
            x509.load_der_x509_certificate(certificate) if isinstance(certificate, bytes) else certificate
        )
        certified = spki_der(loaded.public_key())
    except LIBRARY_FAULTS:
        return False
    return hmac.compare_digest(spki_der(private_key.public_key()), certified)


def encode_private_key(private_key: SigningKey) -> bytes:
    """Encode a private key as unencrypted PKCS#8 DER; only for encryption in memory."""
    return private_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def encode_private_key_pem(private_key: SigningKey, passphrase: bytes | None = None) -> bytes:
    """Encode a private key as PKCS#8 PEM, encrypted (PBES2) when a passphrase is given."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def decode_private_key(data: bytes, passphrase: bytes | None = None) -> SigningKey:
    """Load an RSA, EC, Ed25519 or ML-DSA private key from PEM or DER (PKCS#8, PKCS#1, SEC 1).

    Raises InputTooLarge, MalformedKey, WrongPassphrase (missing, superfluous or wrong) or UnsupportedKey.
    """
    if len(data) > MAX_KEY_BYTES:
        raise InputTooLarge(f"a private key is not larger than {MAX_KEY_BYTES} bytes")
    is_pem = b"-----BEGIN" in data
    load = serialization.load_pem_private_key if is_pem else serialization.load_der_private_key
    try:
        key = load(data, passphrase)
    except TypeError as fault:
        raise WrongPassphrase(str(fault)) from fault
    except UnsupportedAlgorithm as fault:
        raise UnsupportedKey from fault
    except LIBRARY_FAULTS as fault:
        if passphrase is not None:
            raise WrongPassphrase from fault
        raise MalformedKey from fault
    if not isinstance(key, SigningKey):
        raise UnsupportedKey(f"{type(key).__name__} can not be used for certificates here")
    return key


def decode_public_key(spki: bytes) -> VerifyingKey:
    """Load an RSA, EC, Ed25519 or ML-DSA public key from a DER SubjectPublicKeyInfo.

    Raises MalformedKey or UnsupportedKey.
    """
    try:
        key = serialization.load_der_public_key(spki)
    except UnsupportedAlgorithm as fault:
        raise UnsupportedKey from fault
    except LIBRARY_FAULTS as fault:
        raise MalformedKey from fault
    if not isinstance(key, VerifyingKey):
        raise UnsupportedKey(f"{type(key).__name__} can not be used for certificates here")
    return key
