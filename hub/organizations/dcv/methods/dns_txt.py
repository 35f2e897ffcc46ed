"""DNS TXT: a random value at ``_certwright-challenge.<domain>`` (Baseline Requirements 3.2.2.4.7)."""

from __future__ import annotations

from datetime import datetime

from hub.organizations.dcv.contract import (
    Challenge,
    DnsRecord,
    Instructions,
    MethodFacts,
    Proof,
    Sight,
    TxtLookup,
    matching,
)
from pki.findings import Finding

LABEL = "_certwright-challenge"


class DnsTxt:
    """Looks for a TXT record; others may stand beside it, and the name may be a CNAME."""

    facts = MethodFacts(name="dns_txt", display_name="DNS TXT", section="3.2.2.4.7", covers_subdomains=True)

    def record(self, challenge: Challenge) -> DnsRecord:
        """Return the record to publish."""
        return DnsRecord(name=f"{LABEL}.{challenge.domain}", type="TXT", value=challenge.value)

    def instructions(self, challenge: Challenge) -> Instructions:
        """Return what to publish."""
        record = self.record(challenge)
        text = (
            f"Create a TXT record at {record.name} with exactly the value shown, and leave it until checked."
        )
        return Instructions(text=text, record=record)

    def lookup(self, challenge: Challenge) -> TxtLookup:
        """Return the record's name."""
        return TxtLookup(self.record(challenge).name)

    def decide(self, challenge: Challenge, sight: Sight, *, at: datetime) -> Proof | Finding:
        """One of the values must be the random value."""
        del at
        seen = matching(challenge.value, sight.values)
        if seen is not None:
            return Proof(seen=seen, sight=sight)
        if sight.fault is not None:
            return sight.fault
        name = self.record(challenge).name
        if not sight.values:
            return Finding("RecordMissing", f"{name} has no TXT record")
        found = ", ".join(repr(value[:60]) for value in sight.values[:3])
        return Finding("ValueDiffers", f"{name} has TXT {found}, none of which is the expected value")
