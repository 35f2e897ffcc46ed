"""What a scan hands on: endpoints, certificates and a cursor, a batch at a time.

A batch is complete in itself: whoever has stored it may forget everything before its cursor. Each certificate
comes once a scan, with the first batch that needs it; endpoints refer to it by its SHA-256.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from agents.network.scanner.observation import Observation, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Ends that say nothing about certificates. A /8 has sixteen million of them: they are counted, not listed.
_COUNTED_ONLY = frozenset({Status.CLOSED, Status.UNREACHABLE})


class EndpointSeen(NamedTuple):
    """An address and port worth telling about; the fields are those of `Observation`."""

    address: str
    port: int
    name: str | None
    status: Status
    fingerprints: tuple[bytes, ...]
    """SHA-256 of each certificate of the chain, in the server's order."""
    version: str
    reason: str
    detail: str
    partial: bool


class CertificateSeen(NamedTuple):
    """A certificate that this scan had not met before."""

    fingerprint: bytes
    """SHA-256 of `der`."""
    der: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A piece of a scan's results."""

    cursor: int
    """All targets below it in scan order are finished; a scan resumed here loses nothing."""
    finished: int
    """Targets finished, those before the start cursor included."""
    total: int
    endpoints: tuple[EndpointSeen, ...]
    certificates: tuple[CertificateSeen, ...]
    counts: Mapping[Status, int]
    """Observations by status, since this scan was started or resumed."""
    done: bool
    """The last batch of a scan that ran to its end."""

    @property
    def progress(self) -> float:
        """The share of targets finished, 0 to 1."""
        return self.finished / self.total if self.total else 1.0


class Report(NamedTuple):
    """What one worker has found since its last report."""

    worker: int
    cursor: int
    finished: int
    endpoints: tuple[EndpointSeen, ...]
    certificates: tuple[CertificateSeen, ...]
    counts: dict[Status, int]
    done: bool


class Collector:
    """Gathers one worker's observations into reports and drops certificates it has reported already."""

    def __init__(self, worker: int) -> None:
        self._worker = worker
        self._known: set[bytes] = set()
        self._endpoints: list[EndpointSeen] = []
        self._certificates: list[CertificateSeen] = []
        self._counts: Counter[Status] = Counter()

    @property
    def size(self) -> int:
        """How many endpoints wait to be reported."""
        return len(self._endpoints)

    def add(self, observations: Iterable[Observation]) -> None:
        """Take observations."""
        for seen in observations:
            self._counts[seen.status] += 1
            if seen.status in _COUNTED_ONLY or seen.reason == "ConnectTimedOut":
                continue
            fingerprints = tuple(self._fingerprint(der) for der in seen.chain)
            self._endpoints.append(
                EndpointSeen(
                    seen.address,
                    seen.port,
                    seen.name,
                    seen.status,
                    fingerprints,
                    seen.version,
                    seen.reason,
                    seen.detail,
                    seen.partial,
                )
            )

    def report(self, *, cursor: int, finished: int, done: bool) -> Report:
        """Everything since the last `clear`."""
        return Report(
            self._worker,
            cursor,
            finished,
            tuple(self._endpoints),
            tuple(self._certificates),
            dict(self._counts),
            done,
        )

    def clear(self) -> None:
        """The report has been taken."""
        self._endpoints.clear()
        self._certificates.clear()
        self._counts.clear()

    def _fingerprint(self, der: bytes) -> bytes:
        fingerprint = hashlib.sha256(der).digest()
        if fingerprint not in self._known:
            self._known.add(fingerprint)
            self._certificates.append(CertificateSeen(fingerprint, der))
        return fingerprint


class Merger:
    """Joins the reports of all workers into batches with one cursor."""

    def __init__(self, *, workers: int, start: int, total: int) -> None:
        self._total = total
        self._start = start
        self._cursors = [start] * workers
        self._finished = [0] * workers
        self._running = set(range(workers))
        self._known: set[bytes] = set()
        self._counts: Counter[Status] = Counter()

    @property
    def done(self) -> bool:
        """All workers have finished their shares."""
        return not self._running

    def merge(self, reports: Iterable[Report]) -> Batch:
        """One batch of all these reports, which are in each worker's order."""
        endpoints: list[EndpointSeen] = []
        certificates: list[CertificateSeen] = []
        for report in reports:
            self._cursors[report.worker] = report.cursor
            self._finished[report.worker] = report.finished
            self._counts.update(report.counts)
            endpoints.extend(report.endpoints)
            for certificate in report.certificates:
                if certificate.fingerprint not in self._known:
                    self._known.add(certificate.fingerprint)
                    certificates.append(certificate)
            if report.done:
                self._running.discard(report.worker)
        return Batch(
            cursor=min(self._cursors),
            finished=self._start + sum(self._finished),
            total=self._total,
            endpoints=tuple(endpoints),
            certificates=tuple(certificates),
            counts=dict(self._counts),
            done=self.done,
        )
