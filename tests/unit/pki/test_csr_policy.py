"""Weak and unwanted keys are found, good ones pass."""

import secrets
from dataclasses import replace
from math import gcd, prod

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.csr_policy import CSR_CHECKS, CsrPolicyInput
from pki.csrs import build_csr, parse_csr
from pki.findings import all_findings, first_finding
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields
from pki.weak_keys import has_close_primes, has_roca_fingerprint


def request(key, *names):
    return parse_csr(build_csr(key, SubjectFields(common_name="www.example.com"), names))


@pytest.fixture(scope="module")
def rsa_csr():
    return request(generate_key(KeyType.RSA_2048), "www.example.com")


def reason(csr, **changes):
    finding = first_finding(CSR_CHECKS, CsrPolicyInput(csr, **changes))
    return finding and finding.reason


@pytest.mark.parametrize("key_type", [KeyType.RSA_2048, KeyType.EC_P256, KeyType.EC_P521, KeyType.ED25519])
def test_good_keys_pass(key_type):
    assert reason(request(generate_key(key_type), "www.example.com")) is None


def test_the_profile_decides_which_types_it_takes(rsa_csr):
    allowed = frozenset({KeyType.EC_P256.value})
    assert reason(rsa_csr, allowed_key_types=allowed) == "KeyTypeNotInProfile"
    assert reason(request(generate_key(KeyType.EC_P256)), allowed_key_types=allowed) is None


def test_a_short_rsa_key_is_refused_whatever_the_profile_says():
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    assert reason(request(key), allowed_key_types=frozenset({"RSA-1024"})) == "RsaKeyTooSmall"


def test_an_unsupported_curve_is_named():
    csr = request(ec.generate_private_key(ec.SECP256K1()))
    found = all_findings(CSR_CHECKS, CsrPolicyInput(csr))
    assert [finding.reason for finding in found] == ["CurveNotAllowed", "KeyTypeNotInProfile"]
    assert "secp256k1" in found[0].message


@pytest.mark.parametrize("exponent", [1, 3, 17, 65536, 65538, 2**256 + 1])
def test_bad_exponents(rsa_csr, exponent):
    assert reason(replace(rsa_csr, rsa_exponent=exponent)) == "RsaExponentUnsafe"


@pytest.mark.parametrize("factor", [2, 3, 7, 751, 65521])
def test_small_factors(rsa_csr, factor):
    modulus = rsa_csr.rsa_modulus // factor * factor
    assert reason(replace(rsa_csr, rsa_modulus=modulus)) == "RsaModulusHasSmallFactor"


def test_a_huge_key_is_refused(rsa_csr):
    assert reason(replace(rsa_csr, key_bits=16384)) == "RsaKeyTooLarge"


def test_close_primes(rsa_csr):
    prime = int.from_bytes(secrets.token_bytes(128), "big") | 1 << 1023 | 1
    modulus = prime * (prime + 2 * secrets.randbelow(2**256))
    assert has_close_primes(modulus)
    assert not has_close_primes(rsa_csr.rsa_modulus)
    assert has_close_primes(rsa_csr.rsa_modulus * 2)
    csr = replace(rsa_csr, rsa_modulus=coprime_square())
    assert reason(csr) == "RsaPrimesTooClose"


def coprime_square():
    """p * (p + 2) without small factors, for the check that comes after the one for small factors."""
    small = prod(n for n in range(3, 2**16, 2))
    start = (1 << 1023) + 1
    factor = next(n for n in range(start, start + 10**6, 2) if gcd(n * (n + 2), small) == 1)
    return factor * (factor + 2)


PRIMES = [n for n in range(2, 702) if all(n % d for d in range(2, int(n**0.5) + 1))]


def roca_factor(primorial):
    """A number of the form the faulty chips drew their primes from; whether it is prime does not matter."""
    return secrets.randbits(40) * primorial + pow(65537, secrets.randbits(64), primorial)


def test_the_roca_family_is_recognized(rsa_csr):
    primorial = prod(PRIMES[:126])  # what the chips used for 2048-bit keys
    moduli = [roca_factor(primorial) * roca_factor(primorial) for _ in range(50)]
    assert all(has_roca_fingerprint(modulus) for modulus in moduli)
    free_of_small_factors = next(modulus for modulus in moduli if gcd(modulus, prod(range(3, 2**16, 2))) == 1)
    assert reason(replace(rsa_csr, rsa_modulus=free_of_small_factors)) == "RsaKeyHasRocaFingerprint"


def test_random_moduli_are_not_taken_for_roca():
    assert not any(has_roca_fingerprint(secrets.randbits(2048) | 1) for _ in range(2000))


def test_an_old_hash_and_a_bad_name_are_found(rsa_csr):
    assert reason(replace(rsa_csr, signature_algorithm="sha1WithRSAEncryption")) == "WeakSignatureHash"
    assert reason(replace(rsa_csr, dns_names=("a_b.example",))) == "DnsNameInvalid"
