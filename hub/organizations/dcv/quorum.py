"""How many vantage points must agree: Baseline Requirements 3.2.2.9.

The hub's own view always counts and must show control. Of the other vantage points none may disagree where
there is one, one where there are two to five, two where there are more. No answer is disagreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Vote(StrEnum):
    """What a vantage point has said so far."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DISAGREED = "disagreed"


class Verdict(StrEnum):
    """What follows from the votes."""

    WAIT = "wait"
    PASSED = "passed"
    FAILED = "failed"


def allowed_disagreements(vantage_points: int) -> int:
    """Return how many of so many remote vantage points may fail to confirm."""
    if vantage_points < 2:
        return 0
    return 1 if vantage_points < 6 else 2


def judge(votes: Sequence[Vote]) -> Verdict:
    """Decide as soon as the votes still to come can't change it."""
    allowed = allowed_disagreements(len(votes))
    if votes.count(Vote.DISAGREED) > allowed:
        return Verdict.FAILED
    if votes.count(Vote.CONFIRMED) >= len(votes) - allowed:
        return Verdict.PASSED
    return Verdict.WAIT
