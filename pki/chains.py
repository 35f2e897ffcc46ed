"""Certificate chains: putting loose certificates in order, and saying what is wrong with a served chain.

This judges what an operator can mend (order, gaps, expiry, weak algorithms, names). It is no path validation
(RFC 5280, 6) against a trust store.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509

from pki.algorithms import WEAK_SIGNATURE_NAMES
from pki.certificates import CertificateFacts, is_signed_by, load_certificate, parse_certificate
from pki.errors import PkiError
from pki.findings import Finding, all_findings
from pki.names import names_cover

MAX_CHAIN_LENGTH = 16
_MINIMUM_BITS = {"RSA": 2048, "DSA": 2048, "EC": 224}


def is_issued_by(certificate: bytes, issuer: bytes) -> bool:
    """Tell whether one DER certificate is signed by another; malformed ones never are."""
    try:
        return is_signed_by(load_certificate(certificate), load_certificate(issuer))
    except PkiError:
        return False


def order_chain(leaf: bytes, pool: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the leaf followed by its issuers as far as the pool has them, the root last.

    Of several possible issuers (a renewed CA certificate) the one that ends last is taken. Raises
    MalformedCertificate for the leaf; malformed certificates in the pool are passed over.
    """
    candidates = _loaded(pool)
    chain, current = [leaf], load_certificate(leaf)
    while len(chain) < MAX_CHAIN_LENGTH and not is_signed_by(current, current):
        issuers = [
            (der, issuer)
            for der, issuer in candidates.items()
            if der not in chain and is_signed_by(current, issuer)
        ]
        if not issuers:
            break
        der, current = max(issuers, key=lambda pair: pair[1].not_valid_after_utc)
        chain.append(der)
    return tuple(chain)


def _loaded(pool: Iterable[bytes]) -> dict[bytes, x509.Certificate]:
    candidates: dict[bytes, x509.Certificate] = {}
    for der in pool:
        try:
            candidates[der] = load_certificate(der)
        except PkiError:
            continue
    return candidates


@dataclass(frozen=True, slots=True)
class ChainInput:
    """A chain in the order in which it is served, the time to judge it at, and the host it is served for."""

    certificates: tuple[CertificateFacts, ...]
    at: datetime
    host: str = ""
    """DNS name or IP address; empty: names are not judged."""


def chain_problems(chain: Sequence[bytes], at: datetime, *, host: str = "") -> tuple[Finding, ...]:
    """Return all that is wrong with a chain of DER certificates, leaf first; raise MalformedCertificate."""
    facts = tuple(parse_certificate(der) for der in chain)
    if not facts:
        return (Finding("ChainEmpty", "there is no certificate"),)
    return all_findings(CHAIN_CHECKS, ChainInput(facts, at, host))


def _called(facts: CertificateFacts) -> str:
    return f"{facts.common_name or facts.subject or facts.serial}"


def certificate_expired(chain: ChainInput) -> Finding | None:
    """Any certificate of the chain that has ended."""
    for facts in chain.certificates:
        if chain.at > facts.not_after:
            return Finding("CertificateExpired", f"{_called(facts)} expired on {facts.not_after:%Y-%m-%d}")
    return None


def certificate_not_yet_valid(chain: ChainInput) -> Finding | None:
    """Any certificate of the chain that has not begun."""
    for facts in chain.certificates:
        if chain.at < facts.not_before:
            return Finding(
                "CertificateNotYetValid",
                f"{_called(facts)} is valid from {facts.not_before:%Y-%m-%d %H:%M} UTC",
            )
    return None


def self_signed_leaf(chain: ChainInput) -> Finding | None:
    """A leaf that nobody but itself vouches for."""
    leaf = chain.certificates[0]
    if not leaf.self_signed:
        return None
    return Finding("SelfSignedLeaf", f"{_called(leaf)} is signed by its own key")


def chain_out_of_order(chain: ChainInput) -> Finding | None:
    """Certificates that belong to the chain but are not each followed by their issuer."""
    served = chain.certificates
    in_order = all(is_issued_by(one.der, two.der) for one, two in pairwise(served))
    if in_order:
        return None
    ordered = order_chain(served[0].der, [facts.der for facts in served[1:]])
    if len(ordered) == len(served):
        return Finding("ChainOutOfOrder", "every certificate must be followed by its issuer")
    return Finding("ChainHasStrangers", "the chain contains certificates that do not belong to it")


def chain_incomplete(chain: ChainInput) -> Finding | None:
    """A leaf without the intermediate that a client needs.

    A lone certificate from a CA, or one whose last intermediate names an issuer that is itself no root:
    whether that issuer is a root can not be known without it, so only a missing first intermediate is
    reported.
    """
    leaf = chain.certificates[0]
    pool = [facts.der for facts in chain.certificates[1:]]
    if leaf.self_signed or len(order_chain(leaf.der, pool)) > 1:
        return None
    return Finding("ChainIncomplete", f"the certificate of the issuer {leaf.issuer} is missing")


def weak_signature_hash(chain: ChainInput) -> Finding | None:
    """MD5 or SHA-1 anywhere but in the self-signature of a root, which nobody verifies."""
    for position, facts in enumerate(chain.certificates):
        if facts.signature_algorithm in WEAK_SIGNATURE_NAMES and not (position and facts.self_signed):
            return Finding(
                "WeakSignatureHash", f"{_called(facts)} is signed with {facts.signature_algorithm}"
            )
    return None


def weak_key(chain: ChainInput) -> Finding | None:
    """RSA or DSA under 2048 bits, curves under 224 bits."""
    for facts in chain.certificates:
        if 0 < facts.key_bits < _MINIMUM_BITS.get(facts.key_type.split("-")[0], 0):
            return Finding("WeakKey", f"{_called(facts)} has a {facts.key_type} key")
    return None


def name_mismatch(chain: ChainInput) -> Finding | None:
    """A leaf that does not name the host it is served for."""
    leaf = chain.certificates[0]
    if not chain.host or names_cover(leaf.dns_names, leaf.ip_addresses, chain.host):
        return None
    return Finding("NameMismatch", f"the certificate does not name {chain.host}")


CHAIN_CHECKS: Sequence[Callable[[ChainInput], Finding | None]] = (
    certificate_expired,
    certificate_not_yet_valid,
    self_signed_leaf,
    chain_out_of_order,
    chain_incomplete,
    weak_signature_hash,
    weak_key,
    name_mismatch,
)
"""From what breaks every client to what only some refuse."""
