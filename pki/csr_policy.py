"""May this request be certified? Ordered, pure checks of its key, its signature and the form of its names.

Weak keys follow the CA/Browser Forum Baseline Requirements, 6.1.1.3 and 6.1.6: size, exponent, small factors,
ROCA (CVE-2017-15361) and primes close enough for Fermat's factorization. Which names a requester may have is
decided elsewhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import gcd, isqrt, prod

from pki.algorithms import WEAK_SIGNATURE_NAMES
from pki.csrs import ParsedCsr
from pki.errors import InvalidName
from pki.findings import Finding
from pki.keys import KeyType
from pki.names import normalize_dns_name

MINIMUM_RSA_BITS = 2048
MAXIMUM_RSA_BITS = 8192
_FERMAT_ROUNDS = 100
_SQUARES_MODULO_256 = frozenset(root * root % 256 for root in range(256))


@dataclass(frozen=True, slots=True)
class CsrPolicyInput:
    """Everything the checks look at."""

    csr: ParsedCsr
    allowed_key_types: frozenset[str] = frozenset(KeyType)
    """Values of KeyType that the profile allows."""


def _odd_primes_below(limit: int) -> tuple[int, ...]:
    sieve = bytearray(b"\x01") * limit
    for number in range(2, isqrt(limit) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return tuple(number for number in range(3, limit) if sieve[number])


_SMALL_PRIMES_PRODUCT = prod(_odd_primes_below(752))
"""The odd primes below 752, as NIST SP 800-89, 5.3.3 suggests, in one gcd."""


def _powers_of_65537(prime: int) -> frozenset[int]:
    powers, power = {1}, 65537 % prime
    while power not in powers:
        powers.add(power)
        power = power * 65537 % prime
    return frozenset(powers)


# Infineon's faulty primes are k * M + (65537**a mod M) with M a product of the first primes; so their product
# is a power of 65537 modulo each of those primes. A random modulus passes for all 38 with a probability below
# 2**-27.
_ROCA_RESIDUES = tuple((prime, _powers_of_65537(prime)) for prime in _odd_primes_below(168))


def has_roca_fingerprint(modulus: int) -> bool:
    """Tell whether an RSA modulus has the form that CVE-2017-15361 makes."""
    return all(modulus % prime in residues for prime, residues in _ROCA_RESIDUES)


def has_close_primes(modulus: int) -> bool:
    """Tell whether Fermat's method factors an RSA modulus within 100 rounds."""
    if modulus % 2 == 0:
        return True
    candidate = isqrt(modulus - 1) + 1
    for offset in range(_FERMAT_ROUNDS):
        square = (candidate + offset) ** 2 - modulus
        # Five of six numbers are no squares because of their last octet; the root is taken only of the rest.
        if square & 0xFF in _SQUARES_MODULO_256 and isqrt(square) ** 2 == square:
            return True
    return False


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


def rsa_modulus_has_small_factor(policy: CsrPolicyInput) -> Finding | None:
    """An RSA modulus that is even or divisible by a prime below 752."""
    modulus = policy.csr.rsa_modulus
    if modulus is None or (modulus % 2 == 1 and gcd(modulus, _SMALL_PRIMES_PRODUCT) == 1):
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


def curve_not_allowed(policy: CsrPolicyInput) -> Finding | None:
    """An elliptic curve that is not one of the supported ones."""
    key_type = policy.csr.key_type
    if not key_type.startswith("EC-") or key_type in frozenset(KeyType):
        return None
    return Finding("CurveNotAllowed", f"curve {key_type.removeprefix('EC-')} is not supported")


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
    rsa_exponent_unsafe,
    rsa_modulus_has_small_factor,
    rsa_key_has_roca_fingerprint,
    rsa_primes_too_close,
    curve_not_allowed,
    key_type_not_in_profile,
    weak_signature_hash,
    dns_name_invalid,
)
"""From the fault of the key itself to what merely the profile forbids."""
