"""DNS CNAME: a name below the domain that points at a random name (Baseline Requirements 3.2.2.4.7).

The target lies in ``invalid.`` (RFC 6761): it needs no zone anywhere, and nobody else can own it. It is
derived from the random value in lower case, since the DNS does not tell cases apart.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

from hub.organizations.dcv.contract import (
    Challenge,
    CnameLookup,
    DnsRecord,
    Instructions,
    MethodFacts,
    Proof,
    Sight,
    matching,
)
from pki.findings import Finding

LABEL = "_certwright-dcv"
ZONE = "dcv.certwright.invalid"
_RANDOM_BYTES = 20


def target_of(value: str) -> str:
    """Return the CNAME target of a random value: 160 bits of it."""
    digest = hashlib.sha256(b"certwright dcv cname v1\x00" + value.encode()).digest()[:_RANDOM_BYTES]
    return f"{base64.b32encode(digest).decode().lower()}.{ZONE}"


class DnsCname:
    """Looks for a CNAME record, directly or through other CNAMEs of the owner."""

    facts = MethodFacts(
        name="dns_cname", display_name="DNS CNAME", section="3.2.2.4.7", covers_subdomains=True
    )

    def record(self, challenge: Challenge) -> DnsRecord:
        """Return the record to publish."""
        return DnsRecord(name=f"{LABEL}.{challenge.domain}", type="CNAME", value=target_of(challenge.value))

    def instructions(self, challenge: Challenge) -> Instructions:
        """Return what to publish."""
        record = self.record(challenge)
        text = (
            f"Create a CNAME record at {record.name} that points at the name shown. The target exists"
            " nowhere, and need not."
        )
        return Instructions(text=text, record=record)

    def lookup(self, challenge: Challenge) -> CnameLookup:
        """Return the record's name."""
        return CnameLookup(self.record(challenge).name)

    def decide(self, challenge: Challenge, sight: Sight, *, at: datetime) -> Proof | Finding:
        """The chain must reach the random name."""
        del at
        targets = tuple(value.rstrip(".").lower() for value in sight.values)
        seen = matching(target_of(challenge.value), targets)
        if seen is not None:
            return Proof(seen=seen, sight=sight)
        if sight.fault is not None:
            return sight.fault
        name = self.record(challenge).name
        if not targets:
            return Finding("RecordMissing", f"{name} has no CNAME record")
        chain = " -> ".join(target[:100] for target in targets[:5])
        return Finding("ValueDiffers", f"{name} points at {chain}, not at the expected name")
