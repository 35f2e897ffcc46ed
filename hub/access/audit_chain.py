"""The hash chain of the audit log, and the check that it is whole.

An entry's hash is SHA-256 over the previous entry's hash and its own content in canonical JSON: whoever
changes, removes or moves an entry breaks every hash after it. Pure functions: the same code checks the
database, an exported file and an archive. What the chain alone can't show, a cut or a rewrite of its end, is
what :mod:`hub.access.audit_checkpoints` is for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64
MAX_FAULTS = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. ``sequence`` is the entry it is about, ``reason`` a stable word."""

    sequence: int
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check found: how many entries it read, and what is wrong (the first hundred)."""

    entries: int
    faults: tuple[Fault, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    @property
    def broken_at(self) -> int | None:
        """The first entry that something is wrong about."""
        return min((fault.sequence for fault in self.faults), default=None)


def canonical(document: Mapping[str, Any]) -> str:
    """Return the one JSON text of ``document`` that is hashed and signed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def entry_document(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of an entry as it is hashed and exported."""
    at: datetime = row["at"]
    return {
        "sequence": row["sequence"],
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": [row["actor_kind"], row["actor_id"], row["actor_name"]],
        "origin": [row["remote"], row["user_agent"]],
        "action": row["action"],
        "object": [row["object_type"], row["object_id"]],
        "scope": [row["organization_id"], row["department_id"], row["certificate_type"]],
        "details": row["details"],
    }


def document_hash(document: Mapping[str, Any], previous_sha256: str) -> str:
    """Return the hash of an entry's content after ``previous_sha256``."""
    return hashlib.sha256(f"{previous_sha256}\n{canonical(document)}".encode()).hexdigest()


def entry_hash(row: Mapping[str, Any]) -> str:
    """Return the hash of an entry, given as its columns."""
    return document_hash(entry_document(row), row["previous_sha256"])


@dataclass(slots=True)
class Chain:
    """Walks entries in their order and notes what does not fit.

    Starts after ``sequence``, whose hash is ``sha256``; ``hashes`` keeps those of the entries in ``wanted``.
    """

    sequence: int = 0
    sha256: str = GENESIS
    entries: int = 0
    wanted: frozenset[int] = frozenset()
    faults: list[Fault] = field(default_factory=list)
    hashes: dict[int, str] = field(default_factory=dict)

    def walk(self, rows: Iterable[tuple[Mapping[str, Any], str, str]]) -> None:
        """Go over (document, previous hash, hash) of the next entries."""
        for document, previous, sha256 in rows:
            self._step(document, previous, sha256)

    def end(self, sequence: int, sha256: str) -> None:
        """Compare the end with the head that the database holds."""
        if sequence > self.sequence:
            self.fault(self.sequence + 1, "LogTruncated", f"entries up to {sequence} are missing at the end")
        elif (sequence, sha256) != (self.sequence, self.sha256):
            self.fault(self.sequence, "HeadMismatch", "the head of the chain is not that of the last entry")

    def fault(self, sequence: int, reason: str, message: str) -> None:
        """Note something that is wrong."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(sequence, reason, message))

    def _step(self, document: Mapping[str, Any], previous: str, sha256: str) -> None:
        number = int(document["sequence"])
        if number != self.sequence + 1:
            gone = f"{self.sequence + 1} to {number - 1}" if number > self.sequence + 2 else f"{number - 1}"
            self.fault(self.sequence + 1, "EntryMissing", f"entry {gone} is missing")
        elif previous != self.sha256:
            self.fault(number, "EntryMoved", f"entry {number} does not follow the one before it")
        if sha256 != document_hash(document, previous):
            self.fault(number, "EntryChanged", f"the content of entry {number} does not fit its hash")
        # Go on from what is written there: one changed entry is one fault, not a fault of all that follow.
        self.sequence, self.sha256, self.entries = number, sha256, self.entries + 1
        if number in self.wanted:
            self.hashes[number] = document_hash(document, previous)
