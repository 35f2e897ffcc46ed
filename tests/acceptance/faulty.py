"""Runs the hub or an agent with faults built in: the product's code has no hooks for them.

``python -m tests.acceptance.faulty PLAN.json ARGUMENTS...`` reads the plan, wraps the functions that it
names, and then runs the program's usual command line in the same process. :class:`Faults` writes plans.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

_POLL_S = 0.01
MAINS = {"hub": "hub.cli.main", "agent": "agents.cli"}


@dataclass
class Faults:
    """A plan of faults for one process; ``at`` is ``module:Class.function`` or ``module:function``."""

    folder: Path
    program: str
    points: list[dict[str, Any]] = field(default_factory=list)
    constants: dict[str, float] = field(default_factory=dict)

    def kill(self, at: str, when: str, *, call: int = 1) -> Faults:
        """SIGKILL the process ``before`` or ``after`` the n-th call, once in the life of the plan."""
        return self._point(at, when, "kill", call)

    def hold(self, at: str, when: str, *, call: int = 1) -> Faults:
        """Stop at that point until `release`; `reached` tells that it is there."""
        return self._point(at, when, "hold", call)

    def constant(self, name: str, value: float) -> Faults:
        """Give ``module:NAME``, or the default of an argument ``module:function(name)``, another value."""
        self.constants[name] = value
        return self

    def command(self) -> tuple[str, ...]:
        """Write the plan; return what stands in the place of the program on the command line."""
        path = self.folder / f"faults-{self.program}.json"
        document = {"program": self.program, "points": self.points, "constants": self.constants}
        path.write_text(json.dumps(document))
        return (sys.executable, "-m", "tests.acceptance.faulty", str(path))

    def reached(self, number: int = 0) -> bool:
        """Whether the point was reached."""
        return Path(self.points[number]["marker"]).exists()

    def release(self, number: int = 0) -> None:
        """Let the process go on."""
        Path(self.points[number]["marker"] + ".go").touch()

    def _point(self, at: str, when: str, what: str, call: int) -> Faults:
        marker = self.folder / f"{self.program}-{len(self.points)}-{what}"
        self.points.append({"at": at, "when": when, "what": what, "call": call, "marker": str(marker)})
        return self


# ---- inside the faulty process


def main(arguments: list[str]) -> int:
    plan = json.loads(Path(arguments[0]).read_text())
    for name, value in plan["constants"].items():
        _set_constant(name, value)
    for point in plan["points"]:
        _wrap(point)
    code: int = importlib.import_module(MAINS[plan["program"]]).main(arguments[1:])
    return code


def _set_constant(name: str, value: float) -> None:
    module_name, _, target = name.partition(":")
    module = importlib.import_module(module_name)
    if target.endswith(")"):
        function, _, argument = target.removesuffix(")").partition("(")
        defaults = getattr(module, function).__kwdefaults__
        if argument not in defaults:
            raise LookupError(name)
        defaults[argument] = value
        return
    old = getattr(module, target)
    setattr(module, target, timedelta(seconds=value) if isinstance(old, timedelta) else value)


def _wrap(point: dict[str, Any]) -> None:
    module_name, _, path = point["at"].partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module_name)
    for each in owners:
        owner = getattr(owner, each)
    setattr(owner, name, _wrapper(getattr(owner, name), _Trap(point)))


def _wrapper(function: Callable[..., Any], trap: _Trap) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def asynchronous(*args: Any, **kwargs: Any) -> Any:
            here = trap.counts()
            if here:
                await trap.spring_async("before")
            result = await function(*args, **kwargs)
            if here:
                await trap.spring_async("after")
            return result

        return asynchronous

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        here = trap.counts()
        if here:
            trap.spring("before")
        result = function(*args, **kwargs)
        if here:
            trap.spring("after")
        return result

    return plain


class _Trap:
    """One point: counts the calls, and does what the plan says at the right one."""

    def __init__(self, point: dict[str, Any]) -> None:
        self._point = point
        self._marker = Path(point["marker"])
        self._calls = 0

    def counts(self) -> bool:
        self._calls += 1
        return bool(self._calls == self._point["call"])

    def spring(self, when: str) -> None:
        if self._armed(when):
            while not self._may_go():
                time.sleep(_POLL_S)  # noqa: TID251 - plain functions block their thread

    async def spring_async(self, when: str) -> None:
        if self._armed(when):
            while not self._may_go():
                await asyncio.sleep(_POLL_S)

    def _armed(self, when: str) -> bool:
        if when != self._point["when"]:
            return False
        with suppress(FileExistsError):
            os.close(os.open(self._marker, os.O_CREAT | os.O_EXCL))
            if self._point["what"] == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            return True
        return False

    def _may_go(self) -> bool:
        return Path(f"{self._marker}.go").exists()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
