"""Synthetic certificates: names, owners, CAs, keys and dates spread as in a large company's inventory."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from hub.lifecycle.facts import authority_name, name_columns

ORGANIZATIONS = 200
DEPARTMENTS = 400
PROFILES = 12
RARE_WORD, RARE_EVERY = "quetzal", 50_021

_WORDS = [
    "api",
    "auth",
    "billing",
    "build",
    "cache",
    "cart",
    "chat",
    "cloud",
    "code",
    "crm",
    "data",
    "db",
    "desk",
    "dev",
    "docs",
    "edge",
    "erp",
    "files",
    "forms",
    "git",
    "grid",
    "help",
    "hooks",
    "hub",
    "id",
    "img",
    "ingest",
    "invoice",
    "jobs",
    "kafka",
    "ldap",
    "legal",
    "lists",
    "live",
    "log",
    "mail",
    "maps",
    "media",
    "metrics",
    "mobile",
    "mqtt",
    "news",
    "node",
    "oauth",
    "ops",
    "orders",
    "pay",
    "people",
    "pilot",
    "pki",
    "portal",
    "print",
    "proxy",
    "queue",
    "reports",
    "sales",
    "search",
    "secure",
    "shop",
    "sign",
    "sip",
    "sso",
    "stage",
    "static",
    "status",
    "store",
    "stream",
    "support",
    "sync",
    "test",
    "track",
    "vault",
    "vpn",
    "web",
    "wiki",
    "work",
    "zone",
]
_SITES = [
    "ams",
    "ber",
    "bos",
    "chi",
    "dub",
    "fra",
    "hel",
    "lax",
    "lis",
    "lon",
    "mad",
    "mil",
    "nyc",
    "osl",
    "par",
    "prg",
    "rom",
    "sea",
    "sin",
    "sto",
    "syd",
    "tok",
    "vie",
    "zrh",
]
_CAS = (
    ("CN=R{n},O=Let's Encrypt,C=US", 30),
    ("CN=Company Issuing CA {n},O=Example Holding,C=DE", 40),
    ("CN=Public TLS CA {n},O=Great Trust Ltd,C=GB", 12),
    ("CN=Device CA {n},O=Example Works,C=FR", 8),
    ("CN=Old CA {n},O=Ancient Signing Inc.,C=US", 3),
    ("CN=appliance-{n}", 7),
)
_KEYS = (("RSA-2048", 2048, 55), ("EC-P256", 256, 30), ("RSA-4096", 4096, 8), ("EC-P384", 384, 4),
         ("RSA-3072", 3072, 2), ("RSA-1024", 1024, 1))  # fmt: skip
_SIGNATURES = (("sha256WithRSAEncryption", 62), ("ecdsa-with-SHA256", 30), ("ecdsa-with-SHA384", 4),
               ("sha384WithRSAEncryption", 3), ("sha1WithRSAEncryption", 1))  # fmt: skip
_STATUSES = (("Issued", 660), ("Downloaded", 60), ("Expired", 120), ("Revoked", 25), ("Replaced", 30),
             ("External", 60), ("Unmanaged", 25), ("Requested", 5), ("Declined", 4), ("Approved", 2),
             ("Applied", 3), ("Rejected", 3), ("Invalid", 3))  # fmt: skip
_TERMS = ((47, 20), (90, 45), (200, 15), (398, 20))
_WAITING = frozenset({"Requested", "Declined", "Approved", "Applied", "Rejected", "Invalid"})
_FOUND = frozenset({"External", "Unmanaged"})


class _Weighted:
    """Picks values by their weight."""

    def __init__(self, chance: random.Random, pairs: Any) -> None:
        self._chance = chance
        self._values = [pair[:-1] if len(pair) > 2 else pair[0] for pair in pairs]
        self._sums = list(accumulate(pair[-1] for pair in pairs))

    def pick(self) -> Any:
        return self._chance.choices(self._values, cum_weights=self._sums)[0]


@dataclass(frozen=True, slots=True)
class Spread:
    """From which the columns of a row are picked."""

    now: datetime
    seed: int = 1


def rows(count: int, spread: Spread, *, first: int = 1) -> Iterator[dict[str, Any]]:
    """Yield the columns of ``count`` certificates with ids from ``first`` on; times are in UTC."""
    chance = random.Random(spread.seed)
    pick = _Pick(chance)
    for number in range(first, first + count):
        yield _row(number, chance, pick, spread.now)


class _Pick:
    def __init__(self, chance: random.Random) -> None:
        # A few organizations have most of the certificates.
        self.organization = _Weighted(chance, [(n, 1000 // n) for n in range(1, ORGANIZATIONS + 1)])
        self.ca = _Weighted(chance, _CAS)
        self.key = _Weighted(chance, _KEYS)
        self.signature = _Weighted(chance, _SIGNATURES)
        self.status = _Weighted(chance, _STATUSES)
        self.term = _Weighted(chance, _TERMS)


def _row(number: int, chance: random.Random, pick: _Pick, now: datetime) -> dict[str, Any]:
    status = pick.status.pick()
    organization = None if status == "Unmanaged" else pick.organization.pick()
    name = (
        f"{chance.choice(_WORDS)}-{chance.choice(_WORDS)}{number % 977}."
        f"{chance.choice(_SITES)}.o{organization or 0}.example.com"
    )
    others = [f"{chance.choice(_WORDS)}.{name}" for _ in range(chance.choice((0, 0, 1, 1, 2, 4)))]
    if number % RARE_EVERY == 0:
        others.append(f"{RARE_WORD}.{name}")
    term = pick.term.pick()
    issued = None if status in _WAITING else now - timedelta(seconds=chance.randrange(term * 86_400))
    if status == "Expired":
        issued = now - timedelta(days=term, seconds=chance.randrange(700 * 86_400))
    requested = None if status in _FOUND else (issued or now) - timedelta(seconds=chance.randrange(400_000))
    key_type, key_bits = pick.key.pick()
    issuer = pick.ca.pick().format(n=min(int(chance.expovariate(0.4)) + 1, 60)) if issued else ""
    renews = status == "Issued" and number % 4 == 0
    bits = chance.getrandbits(256)
    sha256 = f"{bits:064x}"
    return {
        "id": number,
        "type": "ssl",
        "status": status,
        "status_reason": "",
        "status_message": "",
        **name_columns(name, [name, *others], []),
        "organization_id": organization,
        "department_id": None if organization is None or number % 2 else _department(organization, number),
        "profile_id": None if status in _FOUND else 1 + number % PROFILES,
        "backend_id": None if status in _FOUND else 1,
        "term_days": term,
        "method": "" if status in _FOUND else ("csr", "pks", "auto_install")[number % 3],
        "order_number": "" if status in _FOUND else f"{3_000_000 + number}",
        "requester": "" if status in _FOUND else f"admin{number % 300}",
        "requested_via": "Discovery" if status in _FOUND else "Web Form",
        "subject_fields": {"locality": _SITES[number % len(_SITES)], "country": "DE"},
        "key_type": key_type,
        "key_bits": key_bits,
        "key_location": ("", "pks", "target")[number % 3],
        "fingerprint_sha256": sha256 if issued else None,
        "fingerprint_sha1": sha256[:40],
        "fingerprint_md5": sha256[:32],
        "serial_hex": sha256[8:40] if issued else "",
        "subject": f"CN={name},O=Organization {organization},C=DE" if issued else "",
        "issuer": issuer,
        "authority": authority_name(issuer),
        "not_before": issued,
        "not_after": issued + timedelta(days=term) if issued else None,
        "key_usage": ["digitalSignature", "keyEncipherment"],
        "extended_key_usage": ["serverAuth"],
        "signature_algorithm": pick.signature.pick() if issued else "",
        "created_at": requested or now,
        "requested_at": requested,
        "approved_at": issued,
        "applied_at": issued,
        "issued_at": issued if status not in _FOUND else None,
        "discovered_at": issued if status in _FOUND else None,
        "renewal_state": "Scheduled" if renews else "Not Scheduled",
        "renewal_due_at": issued + timedelta(days=term * 2 / 3) if issued and renews else None,
        "install_state": _install_state(number),
    }


def _department(organization: int, number: int) -> int:
    return 1 + (organization * 2 + number // 2 % 2) % DEPARTMENTS


def _install_state(number: int) -> str:
    if number % 211 == 0:
        return "Failed"
    return "Successful" if number % 3 == 2 else "Not Scheduled"


def start_of_today() -> datetime:
    """Return the time from which the dates of a population are counted."""
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
