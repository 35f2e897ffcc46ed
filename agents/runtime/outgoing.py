"""What the hub has not committed yet: batches and ends of commands, kept across streams.

A copy in memory of what the journal holds. A command's end is held back until all its batches are
committed, so that no batch can arrive for a command that the hub regards as finished.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from agents.runtime.messages import ToHubBatch, ToHubDone


@dataclass(slots=True)
class _Pending:
    batches: dict[int, bytes] = field(default_factory=dict)
    done: bytes | None = None


class Outgoing:
    """Uncommitted parts of results, by command, in the order in which they were added."""

    def __init__(self) -> None:
        self._pending: dict[str, _Pending] = {}

    def add_batch(self, command_id: str, sequence: int, finds: bytes) -> None:
        """Take a batch; the same sequence again replaces nothing."""
        self._of(command_id).batches.setdefault(sequence, finds)

    def add_done(self, command_id: str, done: bytes) -> None:
        """Take a command's end."""
        self._of(command_id).done = done

    def batch_committed(self, command_id: str, sequence: int) -> bool:
        """Drop a batch; False when there was none."""
        pending = self._pending.get(command_id)
        if pending is None or pending.batches.pop(sequence, None) is None:
            return False
        self._forget_if_empty(command_id, pending)
        return True

    def done_committed(self, command_id: str) -> bool:
        """Drop a command's end, and any batch left: the hub wants nothing more of it."""
        pending = self._pending.get(command_id)
        if pending is None or pending.done is None:
            return False
        del self._pending[command_id]
        return True

    def uncommitted_batches(self, command_id: str) -> int:
        """How many batches of a command wait for the hub."""
        pending = self._pending.get(command_id)
        return len(pending.batches) if pending else 0

    @property
    def is_empty(self) -> bool:
        """True when the hub has everything."""
        return not self._pending

    def ready(self) -> Iterator[ToHubBatch | ToHubDone]:
        """All that may be sent now, in order."""
        for command_id, pending in self._pending.items():
            for sequence, finds in pending.batches.items():
                yield ToHubBatch(command_id, sequence, finds)
            if pending.done is not None and not pending.batches:
                yield ToHubDone(command_id, pending.done)

    def _of(self, command_id: str) -> _Pending:
        return self._pending.setdefault(command_id, _Pending())

    def _forget_if_empty(self, command_id: str, pending: _Pending) -> None:
        if not pending.batches and pending.done is None:
            del self._pending[command_id]
