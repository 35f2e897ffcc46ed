"""Files of what is published, written so that a web server never serves half of one.

An OCSP answer lies under the path of its GET address (RFC 6960, A.1): base64 with its slashes as folders. A
web server that merges double slashes in an address finds the file all the same, because file systems do so
too; an address that ends in a slash is answered by that folder's :data:`INDEX`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

INDEX = "index.ocsp"
_NEW = ".new"


@dataclass(slots=True)
class StaticFiles:
    """A folder that is filled anew; what was not written again is removed at the end."""

    root: Path
    written: set[str] = field(default_factory=set, repr=False)

    def write(self, name: str, content: bytes) -> None:
        """Write one file, in one step for whoever reads it; a name may have folders in it."""
        path = self.root / name
        self.written.add(os.fspath(path))
        try:
            if path.stat().st_size == len(content) and path.read_bytes() == content:
                return
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + _NEW)
        new.write_bytes(content)
        new.replace(path)

    def write_answer(self, slug: str, address: str, content: bytes) -> None:
        """Write the answer to a request whose GET address ends in ``address``."""
        name = f"{address}{INDEX}" if address.endswith("/") else address
        self.write(f"ocsp/{slug}/{name}", content)

    def remove_others(self, folder: str) -> int:
        """Remove what is in a folder and was not written; return how many files that were."""
        removed = 0
        for where, folders, files in os.walk(self.root / folder, topdown=False):
            for name in files:
                path = os.path.join(where, name)  # noqa: PTH118 - a million of these: no objects
                if path not in self.written:
                    Path(path).unlink()
                    removed += 1
            if not os.listdir(where) and where != os.fspath(self.root / folder):  # noqa: PTH208 - as above
                Path(where).rmdir()
            del folders
        return removed
