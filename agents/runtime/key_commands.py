"""The commands about keys, the same for every agent that has a key store."""

import asyncio

from agents.runtime.commands import (
    CertificateGenerated,
    CertificateStored,
    DeleteKey,
    ExportKey,
    GenerateCertificate,
    KeyDeleted,
    KeyExported,
    StoreCertificate,
)
from agents.runtime.errors import CommandFailed, KeyDiffersFromCertificate, KeyIdTaken, KeyNotFound
from agents.runtime.handlers import CommandContext
from agents.runtime.key_transfer import open_key, seal_key
from agents.runtime.keystore import KeyStore, StoredKey, parameters_sha256
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key, key_matches, key_type_of
from pki.names import SubjectFields
from pki.sealing import ReceiverKey


class GenerateCertificateHandler:
    """Makes a key and a CSR. A repeat with the same id and parameters answers with the same two."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    async def run(self, body: GenerateCertificate, context: CommandContext) -> CertificateGenerated:
        """Find or make the key, find or make the CSR."""
        parameters = parameters_sha256(body)
        stored = await self._reused(body) if body.reuse_key else await self._own(body, parameters, context)
        csr = await self._keys.request(body.key_id, parameters)
        if csr is None:
            key = await self._keys.private_key(body.key_id)
            made = build_csr(key, _subject(body), body.dns_names, body.ip_addresses)
            csr = await self._keys.add_request(body.key_id, parameters, made)
        return CertificateGenerated(
            key_id=body.key_id, csr=csr, spki_sha256=bytes.fromhex(stored.spki_sha256)
        )

    # Killed at any point, it can simply be done again: that is what makes a repeat the same.
    async def recover(self, body: GenerateCertificate, context: CommandContext) -> CertificateGenerated:
        """Do it again."""
        return await self.run(body, context)

    async def _reused(self, body: GenerateCertificate) -> StoredKey:
        return await self._keys.find(body.key_id)

    async def _own(self, body: GenerateCertificate, parameters: str, context: CommandContext) -> StoredKey:
        key_type = _key_type(body.key_type)
        try:
            stored = await self._keys.find(body.key_id)
        except KeyNotFound:
            context.progress(-1, f"making a key of type {key_type}")
            key = await asyncio.to_thread(generate_key, key_type)
            stored = await self._keys.add(body.key_id, key, key_type=key_type, origin="generated")
            if stored.key_type == key_type:
                return stored
        same = await self._keys.request(body.key_id, parameters) is not None
        # A key without any CSR is what a kill between the two leaves.
        fresh = stored.key_type == key_type and not await self._keys.has_requests(body.key_id)
        if not (same or fresh):
            raise KeyIdTaken(f"key {body.key_id!r} was made for other parameters")
        return stored


def _key_type(name: str) -> KeyType:
    try:
        return KeyType(name)
    except ValueError as fault:
        raise CommandFailed("KeyTypeNotSupported", f"{name[:40]!r} is no key type of this agent") from fault


def _subject(body: GenerateCertificate) -> SubjectFields:
    return SubjectFields(
        common_name=body.common_name,
        organization=body.subject.organization,
        organizational_unit=body.subject.organizational_unit,
        locality=body.subject.locality,
        state=body.subject.state,
        country=body.subject.country,
    )


class StoreCertificateHandler:
    """Puts a certificate beside its key, which may arrive sealed with it."""

    def __init__(self, keys: KeyStore, receiver_key: ReceiverKey, agent_id: str) -> None:
        self._keys = keys
        self._receiver_key = receiver_key
        self._agent_id = agent_id

    async def run(self, body: StoreCertificate, context: CommandContext) -> CertificateStored:
        """Check the key against the certificate, then store; a repeat stores the same again."""
        del context
        if not body.chain:
            raise CommandFailed("CertificateMalformed", "the chain is empty")
        if body.sealed_key is not None:
            key = open_key(body.sealed_key, self._receiver_key, receiver=self._agent_id)
            if not key_matches(key, body.chain[0]):
                raise KeyDiffersFromCertificate("the sealed key is not the certificate's")
            await self._keys.add_received(body.key_id, key, key_type=key_type_of(key.public_key()))
        sha256 = await self._keys.add_certificate(body.key_id, body.chain)
        return CertificateStored(key_id=body.key_id, certificate_sha256=bytes.fromhex(sha256))

    async def recover(self, body: StoreCertificate, context: CommandContext) -> CertificateStored:
        """Do it again."""
        return await self.run(body, context)


class ExportKeyHandler:
    """Seals a private key to a receiver. The policy has said yes before this is called."""

    def __init__(self, keys: KeyStore, agent_id: str) -> None:
        self._keys = keys
        self._agent_id = agent_id

    async def run(self, body: ExportKey, context: CommandContext) -> KeyExported:
        """Seal it; the key is in the clear only in this process's memory."""
        del context
        key = await self._keys.private_key(body.key_id)
        sealed = seal_key(
            key,
            receiver_public_key=body.receiver_public_key,
            sender=self._agent_id,
            receiver=body.receiver_agent_id,
        )
        return KeyExported(sealed_key=sealed)


class DeleteKeyHandler:
    """Removes a key; one that is not there counts as removed, so that a repeat succeeds."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    async def run(self, body: DeleteKey, context: CommandContext) -> KeyDeleted:
        """Remove it with its CSRs and certificates."""
        del context
        await self._keys.delete(body.key_id)
        return KeyDeleted(key_id=body.key_id)

    async def recover(self, body: DeleteKey, context: CommandContext) -> KeyDeleted:
        """Do it again."""
        return await self.run(body, context)
