"""How the demo tells its story: one line a step, with what happened and how long it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Line:
    """The line of one step; ``outcome`` replaces the announcement when the step is done."""

    outcome: str = ""


@dataclass
class Teller:
    """Prints steps as they happen."""

    started: float = field(default_factory=time.monotonic)
    number: int = 0

    @contextmanager
    def step(self, announcement: str) -> Iterator[Line]:
        """Announce a step, and print its outcome and duration at the end of the block."""
        self.number += 1
        line = Line(announcement)
        begun = time.monotonic()
        live = sys.stdout.isatty()
        if live:
            print(f"{self.number:>2}  …  {announcement}", end="\r", flush=True)
        try:
            yield line
        except BaseException:
            self._print("failed", announcement, begun)
            raise
        self._print("ok", line.outcome, begun)

    def _print(self, mark: str, text: str, begun: float) -> None:
        if sys.stdout.isatty():
            print("\x1b[2K", end="")
        print(f"{self.number:>2}  {mark:<6} {time.monotonic() - begun:6.2f} s  {text}", flush=True)

    def note(self, text: str) -> None:
        """Print an indented line of detail."""
        print(f"{'':<20}{text}", flush=True)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started
