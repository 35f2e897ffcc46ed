"""A file on the web server: Baseline Requirements 3.2.2.4.18.

The file's name tells nothing of its content, since the value must not appear in the request. HTTPS is tried
too, without judging its certificate: a domain that is about to get its first one must be able to use it.
Since 2021 a file proves control of exactly its own name: not of names below it, and of no wildcard.
"""

from __future__ import annotations

from datetime import datetime

from hub.organizations.dcv.contract import (
    Challenge,
    FileLookup,
    Instructions,
    MethodFacts,
    Proof,
    Sight,
    matching,
)
from pki.findings import Finding

FOLDER = "/.well-known/pki-validation"


class HttpFile:
    """Fetches the file by HTTP and HTTPS; either will do."""

    facts = MethodFacts(
        name="http_file", display_name="HTTP/HTTPS file", section="3.2.2.4.18", covers_subdomains=False
    )

    def lookup(self, challenge: Challenge) -> FileLookup:
        """Return both addresses."""
        path = f"{challenge.domain}{FOLDER}/{challenge.label}.txt"
        return FileLookup((f"http://{path}", f"https://{path}"))

    def instructions(self, challenge: Challenge) -> Instructions:
        """Return what to place where."""
        urls = self.lookup(challenge).urls
        text = (
            "Place a plain text file with exactly the content shown so that it can be fetched from either"
            " address, on port 80 or 443. It validates this name only, no names below it and no wildcard."
        )
        return Instructions(text=text, file_urls=urls, file_content=challenge.value)

    def decide(self, challenge: Challenge, sight: Sight, *, at: datetime) -> Proof | Finding:
        """A line of a file must be the random value."""
        del at
        lines = tuple(line for value in sight.values for line in value.splitlines())
        seen = matching(challenge.value, lines)
        if seen is not None:
            return Proof(seen=seen, sight=sight)
        if sight.fault is not None:
            return sight.fault
        shown = lines[0][:60] if lines else ""
        return Finding("ValueDiffers", f"the file begins with {shown!r}, not with the expected value")
