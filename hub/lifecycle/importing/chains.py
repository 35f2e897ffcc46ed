"""Linking certificates of an archive with the issuers that are in it too, by name and key identifier."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pki.certificates import CertificateFacts, parse_certificate
from pki.chains import is_issued_by
from pki.errors import PkiError

# BasicConstraints (2.5.29.19), perhaps critical, that begins with cA TRUE: cheap to look for in raw DER.
_CA = re.compile(rb"\x06\x03\x55\x1d\x13(?:\x01\x01\xff)?\x04.\x30.\x01\x01\xff", re.DOTALL)
_MAX_ISSUERS = 20_000
_MAX_LENGTH = 8


@dataclass(frozen=True, slots=True)
class _Issuer:
    facts: CertificateFacts
    der: bytes


class Issuers:
    """The CA certificates of an archive."""

    def __init__(self) -> None:
        self._by_subject: dict[str, list[_Issuer]] = {}
        self._seen: set[bytes] = set()

    def collect(self, certificates: Iterable[bytes]) -> None:
        """Take note of those that are CA certificates."""
        for item in certificates:
            if len(self._seen) >= _MAX_ISSUERS or item in self._seen or not _CA.search(item):
                continue
            self._seen.add(item)
            try:
                facts = parse_certificate(item)
            except PkiError:
                continue
            if facts.is_ca:
                self._by_subject.setdefault(facts.subject, []).append(_Issuer(facts, item))

    def chain_of(self, facts: CertificateFacts) -> dict[str, bytes]:
        """Return the certificate and its issuers as far as they are known: DER by fingerprint, leaf first."""
        chain = {facts.sha256: facts.der}
        current = facts
        while not current.self_signed and len(chain) < _MAX_LENGTH:
            issuer = self._issuer_of(current)
            if issuer is None or issuer.facts.sha256 in chain:
                break
            chain[issuer.facts.sha256] = issuer.der
            current = issuer.facts
        return chain

    def _issuer_of(self, facts: CertificateFacts) -> _Issuer | None:
        fitting = [item for item in self._by_subject.get(facts.issuer, ()) if _fits(facts, item)]
        return max(fitting, key=lambda item: item.facts.not_after, default=None)


def _fits(facts: CertificateFacts, issuer: _Issuer) -> bool:
    if facts.aki and issuer.facts.ski:
        return facts.aki == issuer.facts.ski
    return is_issued_by(facts.der, issuer.der)


def without_issuers(facts: list[CertificateFacts]) -> list[CertificateFacts]:
    """Return the certificates of one file that issued none of its others: a bundle brings its chain along."""
    names = {item.issuer for item in facts if not item.self_signed}
    ends = [item for item in facts if not (item.is_ca and item.subject in names)]
    return ends or facts
