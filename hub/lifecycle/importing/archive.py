"""Reading a ZIP archive that somebody sent, without believing anything that it says about itself.

Sizes are counted while bytes are unpacked, never taken from headers; what is too large, packed suspiciously
well, encrypted, or an archive in the archive is refused, each for itself. An archive that would unpack to
more than a whole inventory ends there. Names are shown and never used as paths.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from hub.db.errors import PolicyViolation
from pki.findings import Finding

_FAULTS: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
)
_CENTRAL_HEADER = b"PK\x01\x02"
_ENCRYPTED = 0x1
_MIB = 1024 * 1024


class ArchiveRefused(PolicyViolation):
    """The file is no ZIP archive that can be imported."""

    code = "archive_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """What an archive may be; sizes in bytes. A ratio counts for files beyond ``ratio_from`` only."""

    archive: int = 64 * _MIB
    files: int = 100_000
    file: int = _MIB
    total: int = 1024 * _MIB
    ratio: int = 100
    ratio_from: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """One file: its bytes, or why they are not to be had."""

    name: str
    content: bytes = field(default=b"", repr=False)
    fault: Finding | None = None


class Archive:
    """A ZIP archive in memory."""

    def __init__(self, data: bytes, limits: ArchiveLimits | None = None) -> None:
        """Read the list of files.

        Raises:
            ArchiveRefused: it is too large, holds too many files, or is no ZIP archive.
        """
        self._limits = limits or ArchiveLimits()
        if len(data) > self._limits.archive:
            raise ArchiveRefused(f"an archive has at most {self._limits.archive // _MIB} MiB")
        # Counted before the list is read, which takes memory for each: the archive's own number is a claim.
        if data.count(_CENTRAL_HEADER) > self._limits.files:
            raise ArchiveRefused(f"an archive has at most {self._limits.files} files")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _FAULTS as fault:
            raise ArchiveRefused("this is no ZIP archive, or a damaged one") from fault
        self._entries = [entry for entry in self._zip.infolist() if not _is_clutter(entry)]
        self._packed = len(data)

    def __len__(self) -> int:
        """Return how many files there are."""
        return len(self._entries)

    def files(self) -> Iterator[ArchivedFile]:
        """Yield the files in the archive's order.

        Raises:
            ArchiveRefused: they unpack to more than anybody has certificates.
        """
        unpacked = 0
        for entry in self._entries:
            found = self._read(entry)
            unpacked += len(found.content)
            if unpacked > self._limits.total:
                raise ArchiveRefused(f"the archive unpacks to more than {self._limits.total // _MIB} MiB")
            yield found

    def _read(self, entry: zipfile.ZipInfo) -> ArchivedFile:
        name = shown_name(entry.filename)
        if entry.flag_bits & _ENCRYPTED:
            return _failed(name, "FileEncrypted", "the file is encrypted in the archive")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return _failed(name, "CompressionNotSupported", "only files that are stored or deflated are read")
        try:
            with self._zip.open(entry) as stream:
                content = stream.read(self._limits.file + 1)
        except _FAULTS:
            return _failed(name, "FileDamaged", "the file can't be unpacked")
        if len(content) > self._limits.file:
            return _failed(name, "FileTooLarge", f"a file has at most {self._limits.file} bytes")
        packed = max(min(entry.compress_size, self._packed), 1)
        if len(content) > self._limits.ratio_from and len(content) > packed * self._limits.ratio:
            return _failed(name, "PackedTooWell", "no certificate can be packed so well")
        return ArchivedFile(name, content)


def shown_name(name: str) -> str:
    """Return a file's name as it may be shown and stored: printable, and not too long."""
    shown = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name
    )
    return shown if len(shown) <= 400 else shown[:399] + "\N{HORIZONTAL ELLIPSIS}"


def _is_clutter(entry: zipfile.ZipInfo) -> bool:
    # Folders, and what macOS adds beside every file.
    return entry.is_dir() or entry.filename.startswith("__MACOSX/")


def _failed(name: str, reason: str, message: str) -> ArchivedFile:
    return ArchivedFile(name, fault=Finding(reason, message))
