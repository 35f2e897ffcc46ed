"""From an archive to batches of parsed files: the part of an import that needs time and no database.

It runs in a thread. Twice through the archive: first for its CA certificates, so that each certificate then
finds its issuers wherever they lie; nothing but these is kept in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from hub.lifecycle.importing.archive import Archive, ArchivedFile
from hub.lifecycle.importing.chains import Issuers, without_issuers
from hub.lifecycle.importing.files import PLAIN, certificates_in
from pki.certificates import CertificateFacts, parse_certificate
from pki.errors import PkiError
from pki.findings import Finding

BATCH = 1000


@dataclass(slots=True)
class ReadFile:
    """A file with what it holds, or why that is nothing."""

    name: str
    facts: tuple[CertificateFacts, ...] = ()
    fault: Finding | None = None


@dataclass(slots=True)
class Batch:
    """Files, and what their certificates are made of: facts and chains by leaf, DER of all of them."""

    files: list[ReadFile] = field(default_factory=list)
    facts: dict[str, CertificateFacts] = field(default_factory=dict)
    chains: dict[str, list[str]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)


class Reader:
    """Reads an archive batch by batch. Not for several threads at once."""

    def __init__(self, archive: Archive, *, password: str) -> None:
        self._archive = archive
        self._password = password
        self._issuers = Issuers()
        self._files: Iterator[ArchivedFile] | None = None

    def collect_issuers(self) -> None:
        """Go through the archive for CA certificates; raises ArchiveRefused."""
        for item in self._archive.files():
            # Those with keys take a costly derivation each; they bring their chain along.
            if item.fault is None and item.name.lower().endswith(tuple(PLAIN)):
                contents = certificates_in(item.name, item.content, password="")
                self._issuers.collect(contents.certificates)
        self._files = self._archive.files()

    def next_batch(self) -> Batch | None:
        """Return the next files, or None at the end; raises ArchiveRefused."""
        files = list(islice(self._files or (), BATCH))
        if not files:
            return None
        batch = Batch()
        for item in files:
            read = self._read(item)
            batch.files.append(read)
            for facts in read.facts:
                if facts.sha256 not in batch.facts:
                    chain = self._issuers.chain_of(facts)
                    batch.facts[facts.sha256] = facts
                    batch.chains[facts.sha256] = list(chain)
                    batch.bodies.update(chain)
        return batch

    def _read(self, item: ArchivedFile) -> ReadFile:
        if item.fault is not None:
            return ReadFile(item.name, fault=item.fault)
        contents = certificates_in(item.name, item.content, password=self._password)
        if contents.fault is not None:
            return ReadFile(item.name, fault=contents.fault)
        self._issuers.collect(contents.certificates)
        try:
            facts = [parse_certificate(certificate) for certificate in contents.certificates]
        except PkiError as fault:
            return ReadFile(item.name, fault=Finding(type(fault).__name__, str(fault)))
        return ReadFile(item.name, tuple(without_issuers(facts)))
