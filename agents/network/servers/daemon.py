"""A server's main process and its children, as Linux shows them in /proc.

Reload commands only send a signal, so the moment when a server has really read its files is found by looking
for new children: Apache and nginx both start some with every configuration that they take up.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_ENDED = "ZX"


@dataclass(frozen=True, slots=True)
class _Stat:
    state: str
    parent: int


def main_process(pid_file: Path) -> int | None:
    """The living main process of a PID file; None for a stale file and for a zombie."""
    pid = _read_pid(pid_file)
    return pid if pid and _is_alive(pid) else None


def is_zombie(pid_file: Path) -> bool:
    """Whether the process of a PID file has ended and waits for a parent that never asks."""
    pid = _read_pid(pid_file)
    stat = _stat(pid) if pid else None
    return stat is not None and stat.state in _ENDED


def _is_alive(pid: int) -> bool:
    stat = _stat(pid)
    return stat is not None and stat.state not in _ENDED


def children(pid: int) -> frozenset[int]:
    """The living child processes of a process."""
    try:
        listed = (_PROC / str(pid) / "task" / str(pid) / "children").read_text("ascii").split()
        return frozenset(
            child for child in map(int, listed) if (stat := _stat(child)) and stat.state not in "ZX"
        )
    except FileNotFoundError:
        # Either the process has just ended, or the kernel was built without this list.
        return _children_by_scan(pid) if _stat(pid) else frozenset()


def boot_id() -> str:
    """Changes with every start of the machine; empty where the kernel does not tell."""
    try:
        return (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _children_by_scan(pid: int) -> frozenset[int]:
    found = set()
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            stat = _stat(int(entry.name))
            if stat and stat.parent == pid and stat.state not in _ENDED:
                found.add(int(entry.name))
    return frozenset(found)


def _read_pid(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text("ascii"))
    except (OSError, ValueError):
        return None


def _stat(pid: int) -> _Stat | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
        state, parent = text.rpartition(")")[2].split()[:2]
        return _Stat(state, int(parent))
    except (OSError, ValueError):
        return None
