"""What the console asks of the list of certificates, and how long the database may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.inventory.population import RARE_WORD
from hub.http.principal import Principal, Role, RoleGrant

PAGE_MS, REST_MS = 15.0, 50.0

EVERYTHING = Principal(kind="administrator", id="1", name="mrao", grants=(RoleGrant(role=Role.MRAO),))


def of_organizations(*numbers: int) -> Principal:
    """Return an administrator of whole organizations."""
    types = frozenset({"ssl"})
    grants = tuple(
        RoleGrant(role=Role.RAO, organization_id=number, certificate_types=types) for number in numbers
    )
    return Principal(kind="administrator", id="2", name="rao", grants=grants)


@dataclass(frozen=True, slots=True)
class Question:
    """One list, by its query parameters."""

    name: str
    query: dict[str, Any] = field(default_factory=dict)
    who: Principal = EVERYTHING
    aim_ms: float = PAGE_MS


def questions() -> list[Question]:
    """Return all questions; dates are counted from this hour."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    soon = [f"expires:ge:{hour.isoformat()}", f"expires:le:{(hour + timedelta(days=47)).isoformat()}"]
    live, small = ["status:in:Issued,Downloaded"], of_organizations(180)
    one, some = of_organizations(1), of_organizations(1, 2, 3)
    by_expiry = {"sort": "expires"}
    return [
        Question("newest first"),
        Question("by expiry", by_expiry),
        Question("by expiry, latest first", {"sort": "-expires"}),
        Question("by name", {"sort": "common_name"}),
        Question("by serial number", {"sort": "-serial_number"}),
        Question("by date of request", {"sort": "-requested"}),
        Question("by date of renewal", {"sort": "renewal_due"}),
        Question("issued, by expiry", {**by_expiry, "filter": live}),
        Question("issued, by name", {"sort": "common_name", "filter": live}),
        Question("requested, by name", {"sort": "common_name", "filter": ["status:eq:Requested"]}),
        Question("expire in 47 days", {**by_expiry, "filter": [*soon, *live]}),
        Question(
            "organization and status, by expiry", {**by_expiry, "filter": ["organization_id:eq:3", *live]}
        ),
        Question("organization by its name", {**by_expiry, "filter": ["organization:eq:organizations 20"]}),
        Question("RAO of the largest, by expiry", by_expiry, one),
        Question("RAO of a small one, by expiry", by_expiry, small),
        Question("RAO of three, by expiry", by_expiry, some),
        Question("RAO, by serial number", {"sort": "serial_number"}, of_organizations(20), REST_MS),
        Question("search, rare word", {**by_expiry, "q": RARE_WORD}),
        Question("search, one host", {**by_expiry, "q": "vpn-wiki7"}),
        Question("search, nothing", {**by_expiry, "q": "no-such-name"}),
        Question("search, three letters, 4 %", {**by_expiry, "q": "zrh"}),
        Question("search, three letters, 0.2 %", {**by_expiry, "q": "o77"}),
        Question("search, in every name", {**by_expiry, "q": "example"}),
        Question("search, RAO of a small one", {**by_expiry, "q": "zrh"}, small),
        Question("search, RAO of a large one", {**by_expiry, "q": "zrh"}, of_organizations(2)),
        Question("search and status", {**by_expiry, "q": "vpn", "filter": live}),
        Question("search by number", {"q": "12345"}),
        Question(
            "common name contains", {**by_expiry, "filter": ["common_name:contains:mail-"]}, aim_ms=REST_MS
        ),
        Question("search, across a dot", {**by_expiry, "q": "3.zrh"}, aim_ms=REST_MS),
        Question(
            "weak keys in use, by expiry",
            {**by_expiry, "filter": ["key_type:eq:RSA-1024", *live]},
            aim_ms=REST_MS,
        ),
        Question(
            "of one CA, by expiry", {**by_expiry, "filter": ["authority:eq:Great Trust Ltd"]}, aim_ms=REST_MS
        ),
        Question(
            "of one profile, by name", {"sort": "common_name", "filter": ["profile_id:eq:3"]}, aim_ms=REST_MS
        ),
        Question(
            "failed installations", {**by_expiry, "filter": ["install_state:eq:Failed"]}, aim_ms=REST_MS
        ),
    ]
