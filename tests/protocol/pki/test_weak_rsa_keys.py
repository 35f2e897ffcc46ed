"""Real RSA keys with each weakness, made here, sign real requests and are refused; good ones never are."""

import random
from math import gcd, isqrt, prod

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.csr_policy import CSR_CHECKS, CsrPolicyInput
from pki.csrs import build_csr, parse_csr
from pki.findings import all_findings
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields
from pki.weak_keys import has_close_primes, has_roca_fingerprint, small_factor

EXPONENT = 65537
CHANCE = random.Random("weak keys")
SMALL_PRIMES = [n for n in range(2, 2**16) if all(n % d for d in range(2, isqrt(n) + 1))]
# What the faulty chips took for primes of 1024 bits: the product of the first 126 primes.
ROCA_PRIMORIAL = prod(SMALL_PRIMES[:126])


def is_prime(number: int) -> bool:
    if any(number % prime == 0 for prime in SMALL_PRIMES[:2000]):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, odd, twos, CHANCE.randrange(2, number - 1)) for _ in range(8))


def _passes(number, odd, twos, base):
    power = pow(base, odd, number)
    if power in (1, number - 1):
        return True
    return any((power := power * power % number) == number - 1 for _ in range(twos - 1))


def next_prime(start: int) -> int:
    number = start | 1
    while not is_prime(number) or gcd(number - 1, EXPONENT) != 1:
        number += 2
    return number


def random_prime(bits: int) -> int:
    return next_prime(CHANCE.getrandbits(bits) | 3 << (bits - 2))


def roca_prime() -> int:
    while True:
        k = CHANCE.randrange(3 * 2**1022 // ROCA_PRIMORIAL, 2**1024 // ROCA_PRIMORIAL)
        number = k * ROCA_PRIMORIAL + pow(EXPONENT, CHANCE.getrandbits(60), ROCA_PRIMORIAL)
        if number.bit_length() == 1024 and is_prime(number):
            return number


def key_of(p: int, q: int) -> rsa.RSAPrivateKey:
    private = pow(EXPONENT, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=private,
        dmp1=private % (p - 1),
        dmq1=private % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(EXPONENT, p * q),
    ).private_key()


def reasons(key):
    csr = parse_csr(build_csr(key, SubjectFields(common_name="www.example.com"), ["www.example.com"]))
    policy = CsrPolicyInput(csr, frozenset({csr.key_type}))
    return [finding.reason for finding in all_findings(CSR_CHECKS, policy)]


@pytest.fixture(scope="module")
def sound_prime():
    return random_prime(1024)


def test_a_key_of_a_faulty_chip():
    assert reasons(key_of(roca_prime(), roca_prime())) == ["RsaKeyHasRocaFingerprint"]


def test_one_faulty_prime_alone_is_not_the_family(sound_prime):
    # The published fingerprint is of the product; a key with one such prime is not what the chips made.
    assert reasons(key_of(roca_prime(), sound_prime)) == []


@pytest.mark.parametrize("distance", [2, 2**200, 2**500])
def test_primes_close_to_each_other(sound_prime, distance):
    assert reasons(key_of(sound_prime, next_prime(sound_prime + distance))) == ["RsaPrimesTooClose"]


def test_primes_that_share_their_upper_half_only(sound_prime):
    # FIPS 186 asks for a difference of more than 2**(1024 - 100); Fermat needs millions of rounds for less.
    assert reasons(key_of(sound_prime, next_prime(sound_prime + 2**925))) == []


@pytest.mark.parametrize("key_type", [KeyType.RSA_2048, KeyType.RSA_3072])
def test_keys_of_a_good_library(key_type):
    assert reasons(generate_key(key_type)) == []


@settings(max_examples=200, deadline=None)
@given(factor=st.sampled_from(SMALL_PRIMES), other=st.integers(2**2030, 2**2031))
def test_every_prime_below_two_to_the_sixteen_is_found(factor, other):
    found = small_factor(factor * other)
    assert found is not None
    assert found > 1
    assert (factor * other) % found == 0


@settings(max_examples=100, deadline=None)
@given(prime=st.integers(2**1023, 2**1024), half=st.integers(0, 2**500))
def test_fermat_finds_whatever_is_near(prime, half):
    assert has_close_primes((prime | 1) * ((prime | 1) + 2 * half))


@settings(max_examples=100, deadline=None)
@given(a=st.integers(1, 2**60), b=st.integers(1, 2**60), k=st.integers(2**50, 2**53))
def test_every_product_of_two_such_numbers_has_the_fingerprint(a, b, k):
    first = k * ROCA_PRIMORIAL + pow(EXPONENT, a, ROCA_PRIMORIAL)
    second = (k + 1) * ROCA_PRIMORIAL + pow(EXPONENT, b, ROCA_PRIMORIAL)
    assert has_roca_fingerprint(first * second)
