"""The common shape of every exchange with a server, and the bounds all TLS readers share."""

from __future__ import annotations

from typing import Protocol

from agents.network.scanner.errors import ProtocolViolation
from agents.network.scanner.outcomes import ClosedEarly, Malformed, NotTls, Outcome, TooLarge, excerpt
from agents.network.scanner.records import MessageTooLong, NotTlsBytes, RecordReader

# A chain of ten RSA-4096 certificates is below 25 KB; whatever is ten times that is an attack or a mistake.
FLIGHT_LIMIT = 256 * 1024


class Conversation(Protocol):
    """One exchange with a server up to an outcome: what the engine drives. New protocols plug in here."""

    def start(self) -> bytes:
        """What to send once connected; may be empty where the server speaks first."""

    def receive(self, data: bytes) -> Outcome | None:
        """Take bytes from the server; an outcome ends the conversation. Never raises."""

    def data_to_send(self) -> bytes:
        """What to send after `receive` gave no outcome; mostly empty."""

    def closed(self) -> Outcome:
        """The server closed the connection: what that means at this point."""


class FlightReader:
    """Reads TLS records up to an outcome; a subclass says in `_read_record` what they mean.

    Whatever the bytes, `receive` raises nothing and no more than about `limit` bytes are held.
    """

    __slots__ = ("_limit", "_outcome", "_received", "_records")

    def __init__(self, limit: int = FLIGHT_LIMIT) -> None:
        self._limit = limit
        self._records = RecordReader()
        self._received = 0
        self._outcome: Outcome | None = None

    def receive(self, data: bytes) -> Outcome | None:
        """Take bytes; once there is an outcome it stays the same whatever comes after."""
        if self._outcome is None:
            self._received += len(data)
            try:
                self._outcome = self._read(data)
            except NotTlsBytes as error:
                self._outcome = NotTls(excerpt(error.data))
            except MessageTooLong as error:
                self._outcome = TooLarge(error.size)
            except ProtocolViolation as error:
                self._outcome = Malformed(error.reason, error.detail)
            if self._outcome is None and self._received > self._limit:
                self._outcome = TooLarge(self._received)
        return self._outcome

    def closed(self) -> Outcome:
        """The server closed: the outcome so far, or what the bytes before it amount to."""
        if self._outcome is None:
            rest = self._records.unfinished
            if rest and not self._records.seen_one and len(rest) < 5:
                self._outcome = NotTls(excerpt(rest))
            else:
                self._outcome = ClosedEarly(self._received)
        return self._outcome

    def _read(self, data: bytes) -> Outcome | None:
        for kind, fragment in self._records.feed(data):
            outcome = self._read_record(kind, fragment)
            if outcome is not None:
                return outcome
        return None

    def _read_record(self, kind: int, fragment: bytes) -> Outcome | None:
        """What a record means. Raises `ProtocolViolation` where it has no place."""
        raise ProtocolViolation("UnexpectedRecord", f"record type {kind} with {len(fragment)} bytes")
