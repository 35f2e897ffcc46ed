"""RSA keys that can be factored by anyone, and how they are recognized from the modulus alone.

The CA/Browser Forum's Baseline Requirements, 6.1.1.3 and 6.1.6, ask for these: small factors, primes close
enough for Fermat's factorization, the family of CVE-2017-15361 (ROCA), and the keys of Debian's broken
generator (CVE-2008-0166), which are known only as lists: see :mod:`pki.weak_key_lists`.

The answers depend on nothing but the modulus, so the slow ones are remembered: a key comes back whenever a
request is checked again, edited, or renewed with the same key.
"""

from functools import lru_cache
from math import gcd, isqrt, prod

FERMAT_ROUNDS = 100
"""As many as 6.1.1.3 asks for."""
SMALL_PRIMES_BELOW = 2**16
"""Far beyond the 752 of NIST SP 800-89, 5.3.3, and still one gcd of a quarter of a millisecond."""

_REMEMBERED_KEYS = 4096
_SQUARES_MODULO_256 = frozenset(root * root % 256 for root in range(256))


def _odd_primes_below(limit: int) -> tuple[int, ...]:
    sieve = bytearray(b"\x01") * limit
    for number in range(2, isqrt(limit) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return tuple(number for number in range(3, limit) if sieve[number])


_SMALL_PRIMES_PRODUCT = prod(_odd_primes_below(SMALL_PRIMES_BELOW))


@lru_cache(maxsize=_REMEMBERED_KEYS)
def small_factor(modulus: int) -> int | None:
    """Return a factor of an RSA modulus that is 2 or a product of odd primes below 2**16, or None."""
    if modulus % 2 == 0:
        return 2
    factor = gcd(modulus, _SMALL_PRIMES_PRODUCT)
    return None if factor == 1 else factor


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


@lru_cache(maxsize=_REMEMBERED_KEYS)
def has_close_primes(modulus: int) -> bool:
    """Tell whether Fermat's method factors an RSA modulus within 100 rounds."""
    if modulus % 2 == 0:
        return True
    candidate = isqrt(modulus - 1) + 1
    for offset in range(FERMAT_ROUNDS):
        square = (candidate + offset) ** 2 - modulus
        # Five of six numbers are no squares because of their last octet; the root is taken only of the rest.
        if square & 0xFF in _SQUARES_MODULO_256 and isqrt(square) ** 2 == square:
            return True
    return False
