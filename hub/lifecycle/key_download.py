"""Downloading a private key from its store: the agent seals a file to the receiver, the hub only carries it.

The hub never sees the key, nor the passphrase of the file: both are within the envelope that the agent makes
for the receiver's public key, if its own policy lets it. The envelope is kept for minutes, given out once to
who asked for it, and then gone.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass

from hub.db.uow import Database, UnitOfWork
from hub.fleet.commands import AgentRecord, ExportKeyFile, FinishedCommand, KeyFileExported
from hub.http.principal import Principal
from hub.lifecycle import dispatch, key_transfers
from hub.lifecycle.delivery import chain_of
from hub.lifecycle.key_access import KeyAccess
from hub.lifecycle.key_errors import KeyAgentAway, KeyNotKept, ReceiverMalformed
from hub.lifecycle.key_transfer_states import TransferEvent, TransferKind, TransferState
from hub.lifecycle.key_transfers import LIFETIME, NewTransfer, Transfer
from hub.lifecycle.models import KeyTransfer
from hub.lifecycle.orders import OrderRow
from hub.lifecycle.ports import Rooms
from hub.lifecycle.requests import KeyLocation
from hub.lifecycle.states import CertificateEvent, CertificateStatus
from hub.lifecycle.transitions import Change, transition
from pki.errors import MalformedKey
from pki.key_files import KeyFileFormat
from pki.sealing import receiver_fingerprint

KIND = "ExportKeyFile"
ACTION = "certificates.download_key"
MAX_ENVELOPE_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadWish:
    """What somebody asks for: a format, and the base64 of the X25519 public key to seal to."""

    receiver_public_key: str
    format: KeyFileFormat = KeyFileFormat.PKCS12


class KeyDownloads:
    """Downloads of private keys."""

    def __init__(self, db: Database, rooms: Rooms, access: KeyAccess) -> None:
        self._db = db
        self._rooms = rooms
        self._access = access

    async def request(self, principal: Principal, certificate_id: int, wish: DownloadWish) -> Transfer:
        """Ask the agent that keeps the key for a sealed file of it.

        Raises:
            StrongerSignInNeeded: the sign-in was not sure enough for keys.
            CertificateNotFound: there is none of this id in the caller's scope.
            KeyNotKept: no private key store has the key, or there is no certificate yet.
            KeyAgentAway: it can't be asked now.
            ReceiverMalformed: the receiver's key is none.
        """
        self._access.check(principal, ACTION)
        async with self._db.write() as uow:
            row = await key_transfers.visible_row(uow.session, principal, certificate_id)
            receiver = read_receiver(wish.receiver_public_key)
            chain = await chain_of(uow, row)
            if row.key_location != KeyLocation.PKS or row.key_agent_id is None or not chain:
                raise KeyNotKept
            agent = await self._rooms.fleet.agent(uow.session, row.key_agent_id)
            check_agent(agent, KIND)
            transfer_id = await key_transfers.begin(
                uow,
                row,
                principal,
                NewTransfer(
                    kind=TransferKind.DOWNLOAD,
                    agent_id=agent.id,
                    format=wish.format.value,
                    receiver_fingerprint=receiver_fingerprint(receiver),
                ),
            )
            body = ExportKeyFile(
                key_id=row.key_id,
                chain=chain,
                format=wish.format.value,
                receiver_public_key=receiver,
                download_id=transfer_id,
            )
            refused = await dispatch.send(
                uow,
                self._rooms.fleet,
                row=row,
                agent_id=agent.id,
                body=body,
                deadline_s=int(LIFETIME.total_seconds()),
            )
            if refused is not None:
                raise KeyAgentAway(refused.message)
            return await key_transfers.find_for(
                uow.session, certificate_id, transfer_id, TransferKind.DOWNLOAD
            )

    async def read(self, principal: Principal, certificate_id: int, transfer_id: str) -> Transfer:
        """Return a download; who asked for it gets the envelope once it is there, and only that once.

        Raises:
            StrongerSignInNeeded, CertificateNotFound: as :meth:`request`.
            TransferNotFound: there is none of this id.
        """
        self._access.check(principal, ACTION)
        async with self._db.read() as session:
            await key_transfers.visible_row(session, principal, certificate_id)
            transfer = await key_transfers.find_for(
                session, certificate_id, transfer_id, TransferKind.DOWNLOAD
            )
        if transfer.state != TransferState.READY:
            return transfer
        return await self._fetch(principal, transfer)

    async def _fetch(self, principal: Principal, transfer: Transfer) -> Transfer:
        async with self._db.write() as uow:
            envelope = await key_transfers.envelope_for(uow.session, transfer, principal)
            if envelope is None or transfer.expires_at <= uow.now:
                return transfer
            await key_transfers.move(uow, transfer, TransferEvent.FETCH, principal=principal)
            row = await key_transfers.visible_row(uow.session, principal, transfer.certificate_id)
            if row.status == CertificateStatus.ISSUED:
                change = Change(principal=principal, details={"format": transfer.format})
                await transition(uow, row.id, CertificateEvent.DOWNLOAD, change)
            fetched = await key_transfers.find(uow.session, KeyTransfer.id == transfer.id)
        return _with_envelope(fetched or transfer, envelope)

    async def on_outcome(self, uow: UnitOfWork, finished: FinishedCommand) -> None:
        """Keep the envelope until it is fetched, or note why there is none."""
        row = await dispatch.take_outcome(uow, finished)
        if row is None or not isinstance(finished.body, ExportKeyFile):
            return
        transfer = await key_transfers.find(uow.session, KeyTransfer.id == finished.body.download_id)
        if transfer is None or transfer.state != TransferState.REQUESTED:
            # Too late: whoever asked has given up by now.
            return
        result = finished.result
        if isinstance(result, KeyFileExported) and _fits(result, transfer):
            values = {"envelope": result.envelope}
            await key_transfers.move(uow, transfer, TransferEvent.SEAL, values=values)
            return
        failure = finished.failure
        reason = failure.reason if failure else "EnvelopeMalformed"
        message = failure.message if failure else "the agent's answer is not what was asked for"
        await key_transfers.move(
            uow, transfer, TransferEvent.FAIL, values={"reason": reason, "message": message}
        )


def _fits(result: KeyFileExported, transfer: Transfer) -> bool:
    return result.download_id == transfer.id and 0 < len(result.envelope) <= MAX_ENVELOPE_BYTES


def _with_envelope(transfer: Transfer, envelope: bytes) -> Transfer:
    values = {name: getattr(transfer, name) for name in Transfer.__slots__ if name != "envelope"}
    return Transfer(**values, envelope=envelope)


def read_receiver(text: str) -> bytes:
    """Read the base64 of a receiver's raw X25519 public key; raise ReceiverMalformed."""
    try:
        public = b64decode(text, validate=True)
        receiver_fingerprint(public)
    except (binascii.Error, ValueError, MalformedKey) as fault:
        raise ReceiverMalformed("write the 32 bytes of an X25519 public key in base64") from fault
    return public


def check_agent(agent: AgentRecord, kind: str) -> None:
    """Refuse an agent that would not answer now; raise KeyAgentAway."""
    if agent.status != "active" or not agent.connected:
        raise KeyAgentAway(f"the agent {agent.name} is not connected")
    if agent.capabilities and kind not in agent.capabilities:
        raise KeyAgentAway(f"the agent {agent.name} is of a version that can't do this: update it")


def row_has_key(row: OrderRow) -> bool:
    """Whether a private key store keeps the row's key."""
    return row.key_location == KeyLocation.PKS and row.key_agent_id is not None
