"""What a private CA is asked to be, and what is known of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from pki.algorithms import SignatureAlgorithm
from pki.keys import KeyType
from pki.names import SubjectFields
from pki.templates import ANY_POLICY, NameConstraints

KeyStore = Literal["software", "hsm"]
Hash = Literal["", "SHA-256", "SHA-384", "SHA-512"]

TRIAL_DAYS = 30
"""How long a trial goes, and the longest that a certificate of a CA in trial mode is valid."""
# What relying parties still accept of RSA with 2048 bits (NIST SP 800-57, part 1, table 4).
RSA_2048_END = datetime(2030, 12, 31, 23, 59, 59, tzinfo=UTC)
_ROOT_YEARS, _ISSUING_YEARS, _SHORT_YEARS = 20, 10, 5
_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class CaTemplate:
    """A kind of CA that can be made: role, key type and lifetime."""

    role: Literal["root", "issuing"]
    key_type: KeyType
    years: int
    ends_at: datetime | None = None
    """A fixed end, whatever the years."""

    @property
    def name(self) -> str:
        """The template's stable name, such as ``rsa-4096-root``."""
        return f"{self.key_type.value.lower()}-{self.role}"

    def not_after(self, begin: datetime, days: int = 0) -> datetime:
        """Return the last second of a CA that begins now; ``days`` other than 0 replaces the years."""
        if days:
            end = begin + timedelta(days=days, seconds=-1)
        else:
            end = begin + timedelta(days=round(self.years * _YEAR), seconds=-1)
            end = self.ends_at or end
        return end if self.ends_at is None else min(end, self.ends_at)


def _root(key_type: KeyType) -> CaTemplate:
    if key_type is KeyType.RSA_2048:
        return CaTemplate("root", key_type, _SHORT_YEARS, RSA_2048_END)
    return CaTemplate("root", key_type, _ROOT_YEARS)


def _issuing(key_type: KeyType) -> CaTemplate:
    return CaTemplate("issuing", key_type, _SHORT_YEARS if key_type is KeyType.RSA_2048 else _ISSUING_YEARS)


CA_TEMPLATES: dict[str, CaTemplate] = {
    template.name: template for template in [*map(_root, KeyType), *map(_issuing, KeyType)]
}
"""Templates by name."""

_FAMILIES: dict[str, dict[str, SignatureAlgorithm]] = {
    "RSA": {
        "SHA-256": SignatureAlgorithm.RSA_SHA256,
        "SHA-384": SignatureAlgorithm.RSA_SHA384,
        "SHA-512": SignatureAlgorithm.RSA_SHA512,
    },
    "EC": {
        "SHA-256": SignatureAlgorithm.ECDSA_SHA256,
        "SHA-384": SignatureAlgorithm.ECDSA_SHA384,
        "SHA-512": SignatureAlgorithm.ECDSA_SHA512,
    },
}


def signature_algorithm(key_type: KeyType, name: str) -> SignatureAlgorithm | None:
    """Return the algorithm of a hash for a key; None: what suits it. Raises KeyError without a choice."""
    return None if not name else _FAMILIES[key_type.value.split("-", maxsplit=1)[0]][name]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCa:
    """What an administrator chose in the wizard.

    ``parent_id`` None and not ``external``: a self-issued root. ``external``: somebody else signs.
    ``days`` 0: as the template says. An empty common name is made of the organization's.
    """

    name: str
    template: str
    subject: SubjectFields
    parent_id: int | None = None
    external: bool = False
    key_store: KeyStore = "software"
    signature_hash: Hash = ""
    days: int = 0
    path_length: int | None = None
    name_constraints: NameConstraints | None = None
    policies: tuple[str, ...] = (ANY_POLICY,)
    trial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateCa:
    """One private CA as it is listed."""

    id: int
    backend_id: int
    name: str
    parent_id: int | None
    role: str
    slug: str
    key_store: str
    key_sha256: str
    signature_algorithm: str
    not_before: datetime
    not_after: datetime
    trial_until: datetime | None
    retired_at: datetime | None
    created_at: datetime
    certificate: bytes = field(repr=False)

    def state(self, at: datetime) -> str:
        """Return "signed", "retired" or "expired"."""
        if at > self.not_after:
            return "expired"
        return "retired" if self.retired_at is not None else "signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRequest:
    """An issuing CA that waits for its certificate."""

    id: int
    backend_id: int | None
    name: str
    key_sha256: str
    hsm_key_id: str | None
    signature_algorithm: str
    created_at: datetime
    csr: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCertificate:
    """A certificate from one key of a CA to another key of the same CA."""

    id: int
    authority_id: int
    issuer_id: int
    kind: str
    created_at: datetime
    certificate: bytes = field(repr=False)
