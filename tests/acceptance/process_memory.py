"""Looking for bytes in the memory of another process, as it is at this moment (Linux, /proc)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r")
_PIECE = 16 * 1024 * 1024
_OVERLAP = 8192


def _pieces(pid: int) -> Iterator[bytes]:
    maps = Path(f"/proc/{pid}/maps").read_text()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps.splitlines():
            found = _MAPPING.match(line)
            if found is None or "[vvar" in line or "[vsyscall" in line:
                continue
            begin, end = (int(number, 16) for number in found.groups())
            for start in range(begin, end, _PIECE):
                try:
                    memory.seek(start)
                    yield memory.read(min(_PIECE + _OVERLAP, end - start))
                except OSError:
                    # Pages that nobody may read, such as guards.
                    continue


def found_in_memory(pid: int, forms: Mapping[str, bytes]) -> set[str]:
    """Return the names of those forms that lie somewhere in the process's memory."""
    found: set[str] = set()
    for piece in _pieces(pid):
        found.update(name for name, form in forms.items() if name not in found and form in piece)
    return found
