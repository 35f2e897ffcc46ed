"""Signed answers in memory, by the request they answer: bounded, the longest not asked for leave first.

Only plain requests (:attr:`pki.ocsp.OcspRequest.is_plain`) are kept. There are four of them to a certificate,
so an answer is found without reading the request, and what a revocation makes wrong is found by computing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pki.ocsp_responses import SignedResponse

# The objects around the octets of one answer: measured, a dict's slot included.
_OVERHEAD = 360


@dataclass(slots=True)
class CachedAnswer:
    """One signed answer. Times are in seconds since 1970; it is renewed at ``renew_at``."""

    serial: int
    response: SignedResponse = field(repr=False)
    produced_at: float
    renew_at: float
    next_update: float
    asked: bool = False


class AnswerCache:
    """Answers of one authority, at most ``limit_bytes`` of memory."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._size = 0
        # The longest not asked for first.
        self._answers: dict[bytes, CachedAnswer] = {}
        self.epoch = 0
        """Rises whenever something was dropped: who read the ledger before must not store what it read."""

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def size(self) -> int:
        """Octets in use, about."""
        return self._size

    def get(self, request: bytes, *, now: float) -> CachedAnswer | None:
        """Return the answer to a request, if there is one that is still good."""
        answer = self._answers.pop(request, None)
        if answer is None:
            return None
        if now >= answer.next_update:
            self._size -= _cost(request, answer)
            return None
        self._answers[request] = answer
        answer.asked = True
        return answer

    def put(self, request: bytes, answer: CachedAnswer, *, epoch: int) -> None:
        """Keep an answer, unless something was dropped since ``epoch``."""
        if epoch != self.epoch:
            return
        self._remove(request)
        self._answers[request] = answer
        self._size += _cost(request, answer)
        while self._size > self._limit:
            self._remove(next(iter(self._answers)))

    def drop(self, requests: Iterable[bytes]) -> None:
        """Forget the answers to requests."""
        self.epoch += 1
        for request in requests:
            self._remove(request)

    def clear(self) -> None:
        """Forget everything."""
        self.epoch += 1
        self._answers.clear()
        self._size = 0

    def take_due(self, *, now: float) -> list[tuple[bytes, int]]:
        """Return request and serial number of what is due and was asked for; what was not is forgotten."""
        due = [(request, item) for request, item in self._answers.items() if item.renew_at <= now]
        for request, item in due:
            if not item.asked:
                self._remove(request)
        return [(request, item.serial) for request, item in due if item.asked]

    def _remove(self, request: bytes) -> None:
        answer = self._answers.pop(request, None)
        if answer is not None:
            self._size -= _cost(request, answer)


def _cost(request: bytes, answer: CachedAnswer) -> int:
    # The tail is the responder's certificate, shared by all.
    return len(request) + len(answer.response.head) + _OVERHEAD
