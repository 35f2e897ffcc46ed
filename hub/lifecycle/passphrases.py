"""The passphrase with which an applicant renews or revokes a certificate without an account: its one rule."""

from __future__ import annotations

from pki.findings import Finding

MIN_LENGTH = 8
MAX_LENGTH = 256


def passphrase_fault(passphrase: str) -> Finding | None:
    """Return what is wrong with a passphrase; none at all is allowed and opens nothing."""
    if not passphrase:
        return None
    if len(passphrase) < MIN_LENGTH:
        return Finding("PassphraseTooShort", f"use at least {MIN_LENGTH} characters")
    if len(passphrase) > MAX_LENGTH:
        return Finding("PassphraseTooLong", f"use at most {MAX_LENGTH} characters")
    return None
