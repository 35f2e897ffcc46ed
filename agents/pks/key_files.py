"""Key files: a key that a person downloads from the store, and one that a person brings into it.

Both travel sealed (:mod:`pki.key_files`); the passphrase of a download is made here and is in the envelope,
so that neither the file nor its passphrase is ever with the hub.
"""

import asyncio
import hashlib

from agents.runtime.commands import ExportKeyFile, ImportKey, KeyFileExported, KeyImported
from agents.runtime.errors import CommandFailed, KeyDiffersFromCertificate
from agents.runtime.handlers import CommandContext
from agents.runtime.keystore import KeyStore
from pki.errors import PkiError
from pki.key_files import (
    DownloadContext,
    KeyFileFormat,
    UploadContext,
    make_key_file,
    open_file,
    read_private_key,
    seal_file,
)
from pki.keys import key_matches, key_type_of
from pki.sealing import ReceiverKey

MAX_CHAIN = 16


class ExportKeyFileHandler:
    """Makes a key file and seals it. The policy has said yes to the receiver before this is called."""

    def __init__(self, keys: KeyStore, agent_id: str) -> None:
        self._keys = keys
        self._agent_id = agent_id

    async def run(self, body: ExportKeyFile, context: CommandContext) -> KeyFileExported:
        """Make it; key, file and passphrase are in the clear only in this process's memory."""
        del context
        _check_chain(body.chain)
        if body.format not in set(KeyFileFormat):
            raise CommandFailed("FormatNotSupported", f"{body.format[:40]!r} is no format of key files here")
        key = await self._keys.private_key(body.key_id)
        if not key_matches(key, body.chain[0]):
            raise KeyDiffersFromCertificate(f"the certificate is not for key {body.key_id!r}")
        sealing = DownloadContext(
            download_id=body.download_id,
            agent_id=self._agent_id,
            certificate_sha256=hashlib.sha256(body.chain[0]).hexdigest(),
            format=body.format,
        )

        def work() -> bytes:
            file = make_key_file(key, body.chain, file_format=KeyFileFormat(body.format), name=body.key_id)
            return seal_file(body.receiver_public_key, file, sealing)

        try:
            # The passphrase is stretched: that takes its time.
            envelope = await asyncio.to_thread(work)
        except PkiError as fault:
            raise CommandFailed(fault.code, str(fault)) from fault
        return KeyFileExported(envelope=envelope, download_id=body.download_id)

    async def recover(self, body: ExportKeyFile, context: CommandContext) -> KeyFileExported:
        """Do it again, under another passphrase: nobody has seen the first one."""
        return await self.run(body, context)


class ImportKeyHandler:
    """Takes a key that a person sealed to this agent."""

    def __init__(self, keys: KeyStore, receiver_key: ReceiverKey, agent_id: str) -> None:
        self._keys = keys
        self._receiver_key = receiver_key
        self._agent_id = agent_id

    async def run(self, body: ImportKey, context: CommandContext) -> KeyImported:
        """Open it, compare it with the certificate, keep both; a repeat keeps the same again."""
        del context
        _check_chain(body.chain)
        sealing = UploadContext(
            agent_id=self._agent_id, certificate_sha256=hashlib.sha256(body.chain[0]).hexdigest()
        )
        try:
            file = open_file(self._receiver_key, body.envelope, sealing)
            key = await asyncio.to_thread(read_private_key, file)
        except PkiError as fault:
            raise CommandFailed("UploadedKeyUnusable", str(fault)) from fault
        if not key_matches(key, body.chain[0]):
            raise KeyDiffersFromCertificate("the uploaded key is not the certificate's")
        await self._keys.add_received(body.key_id, key, key_type=key_type_of(key.public_key()))
        sha256 = await self._keys.add_certificate(body.key_id, body.chain)
        return KeyImported(key_id=body.key_id, certificate_sha256=bytes.fromhex(sha256))

    async def recover(self, body: ImportKey, context: CommandContext) -> KeyImported:
        """Do it again."""
        return await self.run(body, context)


def _check_chain(chain: tuple[bytes, ...]) -> None:
    if not 0 < len(chain) <= MAX_CHAIN:
        raise CommandFailed("CertificateMalformed", f"a chain has 1 to {MAX_CHAIN} certificates")
