"""Decisions as ordered tuples of pure checks, each returning a finding or nothing.

A check's ``reason`` is a stable CamelCase word that states the fault; API, console and tests refer to it. The
message is for people and may change.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault that a check found."""

    reason: str
    """Stable CamelCase word."""
    message: str
    """Sentence for people, with the offending value."""


def first_finding(checks: Iterable[Callable[[Subject], Finding | None]], subject: Subject) -> Finding | None:
    """Return what the first failing check says, or None when all pass."""
    for check in checks:
        finding = check(subject)
        if finding is not None:
            return finding
    return None


def all_findings(
    checks: Iterable[Callable[[Subject], Finding | None]], subject: Subject
) -> tuple[Finding, ...]:
    """Return what every failing check says, in the order of the checks."""
    return tuple(finding for check in checks if (finding := check(subject)) is not None)
