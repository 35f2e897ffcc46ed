"""May this request be certified? Ordered, pure checks of its key, its signature and the form of its names.

Keys follow the CA/Browser Forum Baseline Requirements, 6.1.1.3, 6.1.5 and 6.1.6, for private trust too: size,
exponent, and what makes a key weak (:mod:`pki.weak_keys`) or known to others. That the key signed the request
was seen when it was parsed. Which names a requester may have is decided elsewhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pki.algorithms import WEAK_SIGNATURE_NAMES
from pki.csrs import ParsedCsr
from pki.errors import InvalidName
from pki.findings import Finding
from pki.keys import KeyType
from pki.names import normalize_dns_name
from pki.weak_key_lists import NO_KNOWN_KEYS, KnownKeys
from pki.weak_keys import has_close_primes, has_roca_fingerprint, small_factor

MINIMUM_RSA_BITS = 2048
MAXIMUM_RSA_BITS = 8192
PUBLIC_CURVES = frozenset({KeyType.EC_P256.value, KeyType.EC_P384.value, KeyType.EC_P521.value})
"""Beside RSA, the keys that the Baseline Requirements, 6.1.5, let a public CA certify."""


@dataclass(frozen=True, slots=True)
class CsrPolicyInput:
    """Everything the checks look at."""

    csr: ParsedCsr
    allowed_key_types: frozenset[str] = frozenset(KeyType)
    """Values of KeyType that the profile allows."""
    public_trust: bool = False
    """Whether a CA that browsers trust is to certify the key."""
    weak_keys: KnownKeys = NO_KNOWN_KEYS
    """Published keys, such as those of Debian's broken generator."""
    compromised: str = ""
    """Where this key is known to be compromised from; empty: it is not."""


def rsa_key_too_small(policy: CsrPolicyInput) -> Finding | None:
    """RSA under 2048 bits."""
    csr = policy.csr
    if csr.rsa_modulus is None or csr.key_bits >= MINIMUM_RSA_BITS:
        return None
    return Finding(
        "RsaKeyTooSmall", f"RSA keys need at least {MINIMUM_RSA_BITS} bits, this has {csr.key_bits}"
    )


def rsa_key_too_large(policy: CsrPolicyInput) -> Finding | None:
    """RSA so large that verifying becomes an attack on everybody else."""
    csr = policy.csr
    if csr.rsa_modulus is None or csr.key_bits <= MAXIMUM_RSA_BITS:
        return None
    return Finding(
        "RsaKeyTooLarge", f"RSA keys have at most {MAXIMUM_RSA_BITS} bits, this has {csr.key_bits}"
    )


def rsa_exponent_unsafe(policy: CsrPolicyInput) -> Finding | None:
    """A public exponent that is even, or outside 2**16+1 to 2**256-1."""
    exponent = policy.csr.rsa_exponent
    if exponent is None or (exponent % 2 == 1 and 2**16 < exponent < 2**256):
        return None
    return Finding("RsaExponentUnsafe", "the RSA public exponent must be odd and from 65537 to 2**256-1")


def rsa_modulus_not_whole_octets(policy: CsrPolicyInput) -> Finding | None:
    """An RSA modulus of an odd size, which no public CA certifies and few programs expect."""
    csr = policy.csr
    if csr.rsa_modulus is None or csr.key_bits % 8 == 0:
        return None
    return Finding(
        "RsaModulusNotWholeOctets", f"an RSA modulus has a multiple of 8 bits, this has {csr.key_bits}"
    )


def rsa_modulus_has_small_factor(policy: CsrPolicyInput) -> Finding | None:
    """An RSA modulus that is even or divisible by a prime below 2**16."""
    modulus = policy.csr.rsa_modulus
    if modulus is None or small_factor(modulus) is None:
        return None
    return Finding("RsaModulusHasSmallFactor", "the RSA modulus is divisible by a small prime")


def rsa_key_has_roca_fingerprint(policy: CsrPolicyInput) -> Finding | None:
    """An RSA key of the family that can be factored (CVE-2017-15361)."""
    modulus = policy.csr.rsa_modulus
    if modulus is None or not has_roca_fingerprint(modulus):
        return None
    return Finding("RsaKeyHasRocaFingerprint", "the RSA key was made by a faulty chip (CVE-2017-15361)")


def rsa_primes_too_close(policy: CsrPolicyInput) -> Finding | None:
    """An RSA modulus that Fermat's method factors at once."""
    modulus = policy.csr.rsa_modulus
    if modulus is None or not has_close_primes(modulus):
        return None
    return Finding("RsaPrimesTooClose", "the RSA primes are so close that the key can be factored")


def key_is_published(policy: CsrPolicyInput) -> Finding | None:
    """A key on a list of published keys, such as those that Debian's OpenSSL made (CVE-2008-0166)."""
    modulus = policy.csr.rsa_modulus
    if modulus is None or modulus not in policy.weak_keys:
        return None
    return Finding(
        "KeyIsPublished",
        "everybody knows this key: it is on a list of weak keys, such as Debian's of 2008 (CVE-2008-0166)",
    )


def key_compromised(policy: CsrPolicyInput) -> Finding | None:
    """A key whose private half somebody else is known to have."""
    if not policy.compromised:
        return None
    return Finding(
        "KeyCompromised", f"this key is known to be compromised ({policy.compromised}); make a new one"
    )


def curve_not_allowed(policy: CsrPolicyInput) -> Finding | None:
    """An elliptic curve that is not one of the supported ones."""
    key_type = policy.csr.key_type
    if not key_type.startswith("EC-") or key_type in frozenset(KeyType):
        return None
    return Finding("CurveNotAllowed", f"curve {key_type.removeprefix('EC-')} is not supported")


def key_encoding_unusual(policy: CsrPolicyInput) -> Finding | None:
    """A key that the request writes otherwise than certificates do (Baseline Requirements, 7.1.3.1).

    Such as a curve by its numbers, a compressed point, or an RSA key that is tied to one padding.
    """
    csr = policy.csr
    if csr.spki_der in csr.der:
        return None
    return Finding(
        "KeyEncodingUnusual",
        "the request writes its key in a way that certificates do not have (such as a curve by its numbers,"
        " or RSA-PSS): make it with a named curve, or a plain RSA key",
    )


def key_not_for_public_trust(policy: CsrPolicyInput) -> Finding | None:
    """A key of a kind that no publicly trusted CA certifies, such as Ed25519."""
    csr = policy.csr
    if not policy.public_trust or csr.rsa_modulus is not None or csr.key_type in PUBLIC_CURVES:
        return None
    return Finding("KeyNotForPublicTrust", f"no publicly trusted CA certifies {csr.key_type} keys")


def key_type_not_in_profile(policy: CsrPolicyInput) -> Finding | None:
    """A key type the profile does not list."""
    if policy.csr.key_type in policy.allowed_key_types:
        return None
    allowed = ", ".join(sorted(policy.allowed_key_types))
    return Finding("KeyTypeNotInProfile", f"{policy.csr.key_type} keys are not allowed here, only {allowed}")


def weak_signature_hash(policy: CsrPolicyInput) -> Finding | None:
    """A request signed over MD5 or SHA-1."""
    if policy.csr.signature_algorithm not in WEAK_SIGNATURE_NAMES:
        return None
    return Finding("WeakSignatureHash", f"the request is signed with {policy.csr.signature_algorithm}")


def dns_name_invalid(policy: CsrPolicyInput) -> Finding | None:
    """A DNS name that can not be certified."""
    for name in policy.csr.dns_names:
        try:
            normalize_dns_name(name)
        except InvalidName as fault:
            return Finding("DnsNameInvalid", str(fault))
    return None


CSR_CHECKS: Sequence[Callable[[CsrPolicyInput], Finding | None]] = (
    rsa_key_too_small,
    rsa_key_too_large,
    rsa_modulus_not_whole_octets,
    rsa_exponent_unsafe,
    rsa_modulus_has_small_factor,
    rsa_key_has_roca_fingerprint,
    rsa_primes_too_close,
    key_is_published,
    key_compromised,
    curve_not_allowed,
    key_encoding_unusual,
    key_not_for_public_trust,
    key_type_not_in_profile,
    weak_signature_hash,
    dns_name_invalid,
)
"""From the fault of the key itself to what merely the profile forbids."""
