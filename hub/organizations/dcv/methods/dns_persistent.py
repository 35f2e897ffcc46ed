"""A record that stays: ``_validation-persist.<domain>`` names this hub and the organization's account.

Baseline Requirements 3.2.2.4.22 (ballot SC-088v3): an RFC 8659 issue-value with the issuer's domain name, an
``accounturi`` and perhaps ``persistUntil``. Nothing of it is secret or random: whoever controls the zone says
once that the account may have certificates, and each validation only looks again. Its reuse is capped at ten
days for public trust, so the hub looks again about once a week, without a person.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hub.organizations.dcv.contract import (
    Challenge,
    DnsRecord,
    Instructions,
    MethodFacts,
    Proof,
    Sight,
    TxtLookup,
)
from pki.findings import Finding

LABEL = "_validation-persist"
# RFC 8659 4.2: tag and value of a parameter; values hold no semicolons or spaces.
_PARAMETER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\Z")
_VALUE = re.compile(r"[\x21-\x3a\x3c-\x7e]*\Z")


class Malformed(ValueError):
    """The text is no issue-value."""


def parse_issue_value(text: str) -> tuple[str, dict[str, str]]:
    """Return issuer domain name and parameters of an RFC 8659 issue-value.

    Raises:
        Malformed: it is none, or names a parameter twice.
    """
    issuer, *rest = (part.strip(" \t") for part in text.split(";"))
    parameters: dict[str, str] = {}
    for part in [part for part in rest if part]:
        tag, equals, value = part.partition("=")
        tag, value = tag.rstrip(" \t").lower(), value.lstrip(" \t")
        if not equals or not _PARAMETER.match(tag) or not _VALUE.match(value) or tag in parameters:
            raise Malformed(f"{part[:60]!r} is not a parameter")
        parameters[tag] = value
    return issuer.rstrip(".").lower(), parameters


class DnsPersistent:
    """Looks for the persistent record."""

    facts = MethodFacts(
        name="dns_persistent",
        display_name="Persistent DNS TXT",
        section="3.2.2.4.22",
        covers_subdomains=True,
        max_reuse_days=10,
        repeatable=True,
    )

    def record(self, challenge: Challenge) -> DnsRecord:
        """Return the record to publish."""
        value = f"{challenge.issuer}; accounturi={challenge.account_uri}"
        return DnsRecord(name=f"{LABEL}.{challenge.domain}", type="TXT", value=value)

    def instructions(self, challenge: Challenge) -> Instructions:
        """Return what to publish."""
        record = self.record(challenge)
        text = (
            f"Create a TXT record at {record.name} with exactly the value shown and leave it there: the hub"
            " looks again by itself. `; persistUntil=SECONDS` (UNIX time) may be added to let it end."
        )
        return Instructions(text=text, record=record)

    def lookup(self, challenge: Challenge) -> TxtLookup:
        """Return the record's name."""
        return TxtLookup(self.record(challenge).name)

    def decide(self, challenge: Challenge, sight: Sight, *, at: datetime) -> Proof | Finding:
        """One record must name this hub and the account, and must not have ended."""
        if not sight.values and sight.fault is not None:
            return sight.fault
        name = self.record(challenge).name
        finding = Finding("RecordMissing", f"{name} has no TXT record")
        for value in sight.values:
            found = _judge(value, challenge, at)
            if found is None:
                return Proof(seen=value, sight=sight)
            # Records for other issuers stand beside ours; the last word is about one that meant us.
            if finding.reason != "RecordEnded":
                finding = Finding(found.reason, f"{name}: {found.message}")
        return finding


def _judge(value: str, challenge: Challenge, at: datetime) -> Finding | None:
    try:
        issuer, parameters = parse_issue_value(value)
    except Malformed as fault:
        return Finding("RecordMalformed", str(fault))
    if issuer != challenge.issuer.lower() or parameters.get("accounturi") != challenge.account_uri:
        return Finding("ValueDiffers", f"{value[:100]!r} names another issuer or account")
    until = parameters.get("persistuntil")
    if until is None:
        return None
    if not (until.isascii() and until.isdigit()) or len(until) > 11:
        return Finding("RecordMalformed", f"persistUntil={until[:30]} is no UNIX time")
    if at.timestamp() > int(until):
        ended = datetime.fromtimestamp(int(until), tz=UTC)
        return Finding("RecordEnded", f"the record was good until {ended:%Y-%m-%d %H:%M} UTC")
    return None
