"""The durable record of an install under way: what an agent that was killed needs to finish or undo it.

One JSON file a transaction in `STATE/installs/`, written whole and synced before the step it announces.
It holds the plan, never a key.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from agents.network.installers.contract import Plan
from agents.network.installers.errors import CheckpointUnreadableError

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = "installs"


class Phase(StrEnum):
    """How far an install may have come; each is recorded before what it names is done."""

    PREPARED = "prepared"
    """New files may lie beside the old ones."""
    PLACING = "placing"
    """Some or all of the new files may have taken their places."""
    ACTIVATING = "activating"
    """The server may have been told to reload."""
    VERIFIED = "verified"
    """The new certificate is served; only cleaning up is left."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One interrupted or running install."""

    plan: Plan
    phase: Phase
    boot: str = ""
    """Boot id of the machine at that time: after a restart, a server that is down is not ours to start."""


_CODEC: TypeAdapter[Checkpoint] = TypeAdapter(Checkpoint)


class CheckpointStore:
    """Checkpoints in the agent's state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / _FOLDER

    def write(self, checkpoint: Checkpoint) -> None:
        """Record a phase durably; raises OSError, then the record before it still stands."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(checkpoint.plan.transaction)
        new = path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(_CODEC.dump_json(checkpoint, indent=1))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        self._sync()

    def advance(self, checkpoint: Checkpoint, phase: Phase) -> Checkpoint:
        """Record the next phase and return the checkpoint in it."""
        further = replace(checkpoint, phase=phase)
        self.write(further)
        return further

    def remove(self, transaction: str) -> None:
        """End a checkpoint; may be repeated."""
        self._path(transaction).unlink(missing_ok=True)
        if self._folder.exists():
            self._sync()

    def names(self) -> tuple[str, ...]:
        """Transactions that were begun and not ended."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.json")))

    def read(self, transaction: str) -> Checkpoint:
        """One checkpoint; raises CheckpointUnreadableError."""
        try:
            return _CODEC.validate_json(self._path(transaction).read_bytes())
        except (OSError, ValidationError) as error:
            raise CheckpointUnreadableError(f"checkpoint {transaction} can't be read") from error

    def _path(self, transaction: str) -> Path:
        return self._folder / f"{transaction}.json"

    def _sync(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
