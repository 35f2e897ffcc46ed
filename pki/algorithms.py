"""Signature algorithms: names, AlgorithmIdentifiers, and signing with a key held in memory.

Names are those of RFC 5280's companions (RFC 3279, 4055, 5758, 8410, 9881). ECDSA is signed deterministically
(RFC 6979): a signature that has to be repeated after a crash gives the identical certificate. ML-DSA is not:
its signatures differ, over the same bytes.
"""

from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa

from pki import der
from pki.errors import BadSignature, UnsupportedKey

MlDsaPrivateKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
MlDsaPublicKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | MlDsaPrivateKey
VerifyingKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | MlDsaPublicKey


class SignatureAlgorithm(StrEnum):
    """The algorithms this package signs with."""

    ECDSA_SHA256 = "ecdsa-with-SHA256"
    ECDSA_SHA384 = "ecdsa-with-SHA384"
    ECDSA_SHA512 = "ecdsa-with-SHA512"
    RSA_SHA256 = "sha256WithRSAEncryption"
    RSA_SHA384 = "sha384WithRSAEncryption"
    RSA_SHA512 = "sha512WithRSAEncryption"
    ED25519 = "Ed25519"
    ML_DSA_44 = "ML-DSA-44"
    ML_DSA_65 = "ML-DSA-65"
    ML_DSA_87 = "ML-DSA-87"


_OIDS = {
    SignatureAlgorithm.ECDSA_SHA256: "1.2.840.10045.4.3.2",
    SignatureAlgorithm.ECDSA_SHA384: "1.2.840.10045.4.3.3",
    SignatureAlgorithm.ECDSA_SHA512: "1.2.840.10045.4.3.4",
    SignatureAlgorithm.RSA_SHA256: "1.2.840.113549.1.1.11",
    SignatureAlgorithm.RSA_SHA384: "1.2.840.113549.1.1.12",
    SignatureAlgorithm.RSA_SHA512: "1.2.840.113549.1.1.13",
    SignatureAlgorithm.ED25519: "1.3.101.112",
    SignatureAlgorithm.ML_DSA_44: "2.16.840.1.101.3.4.3.17",
    SignatureAlgorithm.ML_DSA_65: "2.16.840.1.101.3.4.3.18",
    SignatureAlgorithm.ML_DSA_87: "2.16.840.1.101.3.4.3.19",
}
_HASHES: dict[SignatureAlgorithm, hashes.HashAlgorithm] = {
    SignatureAlgorithm.ECDSA_SHA256: hashes.SHA256(),
    SignatureAlgorithm.ECDSA_SHA384: hashes.SHA384(),
    SignatureAlgorithm.ECDSA_SHA512: hashes.SHA512(),
    SignatureAlgorithm.RSA_SHA256: hashes.SHA256(),
    SignatureAlgorithm.RSA_SHA384: hashes.SHA384(),
    SignatureAlgorithm.RSA_SHA512: hashes.SHA512(),
}
_RSA = frozenset(
    {SignatureAlgorithm.RSA_SHA256, SignatureAlgorithm.RSA_SHA384, SignatureAlgorithm.RSA_SHA512}
)
_ECDSA = frozenset(
    {SignatureAlgorithm.ECDSA_SHA256, SignatureAlgorithm.ECDSA_SHA384, SignatureAlgorithm.ECDSA_SHA512}
)
_ML_DSA: dict[type, SignatureAlgorithm] = {
    mldsa.MLDSA44PublicKey: SignatureAlgorithm.ML_DSA_44,
    mldsa.MLDSA65PublicKey: SignatureAlgorithm.ML_DSA_65,
    mldsa.MLDSA87PublicKey: SignatureAlgorithm.ML_DSA_87,
}
_BY_CURVE_BITS = {
    256: SignatureAlgorithm.ECDSA_SHA256,
    384: SignatureAlgorithm.ECDSA_SHA384,
    521: SignatureAlgorithm.ECDSA_SHA512,
}

SIGNATURE_NAMES = {oid: algorithm.value for algorithm, oid in _OIDS.items()} | {
    "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.113549.1.1.10": "rsassaPss",
    "1.2.840.113549.1.1.14": "sha224WithRSAEncryption",
    "1.3.14.3.2.29": "sha1WithRSAEncryption",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.10045.4.3.1": "ecdsa-with-SHA224",
    "1.2.840.10040.4.3": "dsa-with-sha1",
    "2.16.840.1.101.3.4.3.1": "dsa-with-sha224",
    "2.16.840.1.101.3.4.3.2": "dsa-with-sha256",
    "1.3.101.113": "Ed448",
}
"""Signature OID -> name, also of algorithms that are only met in discovery."""

WEAK_SIGNATURE_NAMES = frozenset(
    {
        "md2WithRSAEncryption",
        "md5WithRSAEncryption",
        "sha1WithRSAEncryption",
        "ecdsa-with-SHA1",
        "dsa-with-sha1",
    }
)
"""Signatures over a hash for which collisions can be made."""


def algorithm_identifier(algorithm: SignatureAlgorithm) -> bytes:
    """Return the DER AlgorithmIdentifier: NULL parameters for RSA (RFC 4055), otherwise none."""
    parameters = der.tlv(der.NULL) if algorithm in _RSA else b""
    return der.sequence(der.object_identifier(_OIDS[algorithm]), parameters)


def default_signature_algorithm(public_key: object) -> SignatureAlgorithm:
    """Return the algorithm that suits a signer's public key; raise UnsupportedKey for other kinds."""
    match public_key:
        case rsa.RSAPublicKey():
            return SignatureAlgorithm.RSA_SHA256
        case ed25519.Ed25519PublicKey():
            return SignatureAlgorithm.ED25519
        case ec.EllipticCurvePublicKey() if public_key.curve.key_size in _BY_CURVE_BITS:
            return _BY_CURVE_BITS[public_key.curve.key_size]
        case mldsa.MLDSA44PublicKey() | mldsa.MLDSA65PublicKey() | mldsa.MLDSA87PublicKey():
            return ml_dsa_algorithm(public_key)
        case _:
            raise UnsupportedKey("this key can not sign certificates here")


def ml_dsa_algorithm(public_key: object) -> SignatureAlgorithm:
    """Return the one algorithm of an ML-DSA key (RFC 9881, 2); raise UnsupportedKey for other kinds."""
    for kind, algorithm in _ML_DSA.items():
        if isinstance(public_key, kind):
            return algorithm
    raise UnsupportedKey("this is no ML-DSA key")


def algorithms_of(public_key: object) -> tuple[SignatureAlgorithm, ...]:
    """Return what a key can sign with, the usual one first; raise UnsupportedKey for other kinds."""
    usual = default_signature_algorithm(public_key)
    kin = next((family for family in (_RSA, _ECDSA) if usual in family), frozenset({usual}))
    return (usual, *sorted(kin - {usual}))


def sign(private_key: SigningKey, algorithm: SignatureAlgorithm, message: bytes) -> bytes:
    """Sign with PKCS#1 v1.5, ECDSA, Ed25519 or ML-DSA; raise UnsupportedKey if key and name differ."""
    match private_key:
        case rsa.RSAPrivateKey() if algorithm in _RSA:
            return private_key.sign(message, padding.PKCS1v15(), _HASHES[algorithm])
        case ec.EllipticCurvePrivateKey() if algorithm in _ECDSA:
            return private_key.sign(message, ec.ECDSA(_HASHES[algorithm], deterministic_signing=True))
        case ed25519.Ed25519PrivateKey() if algorithm is SignatureAlgorithm.ED25519:
            return private_key.sign(message)
        case mldsa.MLDSA44PrivateKey() | mldsa.MLDSA65PrivateKey() | mldsa.MLDSA87PrivateKey() if (
            algorithm is ml_dsa_algorithm(private_key.public_key())
        ):
            return private_key.sign(message)
        case _:
            raise UnsupportedKey(f"this key can not sign with {algorithm}")


def weak_signature_valid(
    public_key: object, algorithm: hashes.HashAlgorithm | None, *, signature: bytes, message: bytes
) -> bool:
    """Tell whether an RSA or ECDSA signature over MD5 or SHA-1 is right; False for any other kind.

    The library's X.509 functions take all of these for invalid. Old devices and certificates still have them,
    and "the hash is too weak" helps their owner more than "the signature is wrong".
    """
    if not isinstance(algorithm, hashes.MD5 | hashes.SHA1):
        return False
    try:
        match public_key:
            case rsa.RSAPublicKey():
                public_key.verify(signature, message, padding.PKCS1v15(), algorithm)
            case ec.EllipticCurvePublicKey():
                public_key.verify(signature, message, ec.ECDSA(algorithm))
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def verify(
    public_key: VerifyingKey, algorithm: SignatureAlgorithm, *, signature: bytes, message: bytes
) -> None:
    """Check a signature; raise BadSignature, or UnsupportedKey if key and algorithm differ."""
    try:
        match public_key:
            case rsa.RSAPublicKey() if algorithm in _RSA:
                public_key.verify(signature, message, padding.PKCS1v15(), _HASHES[algorithm])
            case ec.EllipticCurvePublicKey() if algorithm in _ECDSA:
                public_key.verify(signature, message, ec.ECDSA(_HASHES[algorithm]))
            case ed25519.Ed25519PublicKey() if algorithm is SignatureAlgorithm.ED25519:
                public_key.verify(signature, message)
            case mldsa.MLDSA44PublicKey() | mldsa.MLDSA65PublicKey() | mldsa.MLDSA87PublicKey() if (
                algorithm is ml_dsa_algorithm(public_key)
            ):
                public_key.verify(signature, message)
            case _:
                raise UnsupportedKey(f"this key can not verify {algorithm}")
    except InvalidSignature as fault:
        raise BadSignature from fault
