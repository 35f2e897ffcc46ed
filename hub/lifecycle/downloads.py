"""Certificates as files, in the formats of :mod:`pki.download_formats`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.lifecycle.errors import UnknownFormat
from pki.download_formats import FILE_TYPES, DownloadFormat, download


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadedFile:
    """A certificate in a file format."""

    body: bytes
    media_type: str
    filename: str


def format_named(name: str) -> DownloadFormat:
    """Return a format by the name that addresses use; raise UnknownFormat."""
    if name not in set(DownloadFormat):
        raise UnknownFormat(f"{name!r} is none of {', '.join(DownloadFormat)}", field="format")
    return DownloadFormat(name)


def as_file(chain: Sequence[bytes], name: str, file_format: DownloadFormat) -> DownloadedFile:
    """Return a chain (DER, leaf first) as a file; ``name`` is made fit for a file name."""
    file_type = FILE_TYPES[file_format]
    return DownloadedFile(
        body=download(chain[0], chain[1:], file_format),
        media_type=file_type.media_type,
        filename=file_name(name) + file_type.extension,
    )


def file_name(name: str) -> str:
    """Return a name without anything that a file system or a header could trip over."""
    safe = re.sub(r"[^A-Za-z0-9.-]", "_", name.replace("*", "star")).strip(".")
    return safe or "certificate"
