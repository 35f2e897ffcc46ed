"""Bringing a private key into a store, and removing one.

Who has the key seals it to the agent's receiver key; the hub carries the envelope. The agent opens it and
takes the key only if it is the certificate's. Whoever seals compares the receiver's fingerprint with what
``certwright-agent status`` prints on the agent's host: the hub could name another one.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass

from sqlalchemy import update

from hub.db.errors import NotFound
from hub.db.uow import Database, UnitOfWork
from hub.fleet.commands import (
    AgentRecord,
    DeleteKey,
    FinishedCommand,
    ImportKey,
    KeyDeleted,
    KeyImported,
)
from hub.http.principal import SYSTEM, Principal
from hub.lifecycle import dispatch, key_transfers
from hub.lifecycle.delivery import chain_of
from hub.lifecycle.item_updates import see_places
from hub.lifecycle.key_access import KeyAccess
from hub.lifecycle.key_download import check_agent, row_has_key
from hub.lifecycle.key_errors import (
    EnvelopeMalformed,
    KeyAgentAway,
    KeyKeptAlready,
    KeyNotKept,
    NotConfirmed,
)
from hub.lifecycle.key_transfer_states import TransferEvent, TransferKind, TransferState
from hub.lifecycle.key_transfers import LIFETIME, NewTransfer, Transfer
from hub.lifecycle.models import Certificate, CertificateLocation, KeyTransfer
from hub.lifecycle.orders import OrderRow
from hub.lifecycle.ports import Rooms
from hub.lifecycle.requests import KeyLocation

IMPORT_KIND, DELETE_KIND = "ImportKey", "DeleteKey"
UPLOAD_ACTION, DELETE_ACTION = "certificates.upload_key", "certificates.delete_key"
MAX_ENVELOPE_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """An agent to which a key may be sealed, and what the envelope has to be bound to."""

    agent: AgentRecord
    certificate_sha256: str


class KeyUploads:
    """Uploads and removals of private keys."""

    def __init__(self, db: Database, rooms: Rooms, access: KeyAccess) -> None:
        self._db = db
        self._rooms = rooms
        self._access = access

    async def receiver(self, principal: Principal, certificate_id: int, agent_id: str) -> Receiver:
        """Return the agent that a certificate's key is to be sealed to; raises as :meth:`request` does."""
        async with self._db.write() as uow:
            row = await key_transfers.visible_row(uow.session, principal, certificate_id)
            agent = await self._agent(uow, row, agent_id)
            return Receiver(agent=agent, certificate_sha256=row.fingerprint_sha256 or "")

    async def request(
        self, principal: Principal, certificate_id: int, *, agent_id: str, envelope: str
    ) -> Transfer:
        """Hand a sealed key (base64 of the envelope) to an agent.

        Raises:
            StrongerSignInNeeded: the sign-in was not sure enough for keys.
            CertificateNotFound: there is none of this id in the caller's scope.
            KeyKeptAlready, KeyNotKept: an agent has the key, or there is no certificate to compare with.
            KeyAgentAway: there is no such agent, or it can't be asked now.
            EnvelopeMalformed: this is no envelope.
        """
        self._access.check(principal, UPLOAD_ACTION)
        async with self._db.write() as uow:
            row = await key_transfers.visible_row(uow.session, principal, certificate_id)
            sealed = _envelope(envelope)
            if row.key_agent_id is not None:
                raise KeyKeptAlready
            chain = await chain_of(uow, row)
            if not chain:
                raise KeyNotKept("there is no certificate to compare the key with")
            agent = await self._agent(uow, row, agent_id)
            check_agent(agent, IMPORT_KIND)
            await _refuse_second(uow, certificate_id)
            transfer_id = await key_transfers.begin(
                uow, row, principal, NewTransfer(kind=TransferKind.UPLOAD, agent_id=agent.id)
            )
            body = ImportKey(key_id=f"upload-{transfer_id}", chain=chain, envelope=sealed)
            await self._send(uow, row, agent.id, body)
            return await key_transfers.find_for(uow.session, certificate_id, transfer_id, TransferKind.UPLOAD)

    async def read(self, principal: Principal, certificate_id: int, transfer_id: str) -> Transfer:
        """Return an upload; raise CertificateNotFound or TransferNotFound."""
        async with self._db.read() as session:
            await key_transfers.visible_row(session, principal, certificate_id)
            return await key_transfers.find_for(session, certificate_id, transfer_id, TransferKind.UPLOAD)

    async def remove(self, principal: Principal, certificate_id: int, *, confirm: str) -> None:
        """Remove a certificate's key from its store, for ever; ``confirm`` repeats the common name.

        Raises:
            StrongerSignInNeeded, CertificateNotFound: as :meth:`request`.
            KeyNotKept: no private key store has it.
            NotConfirmed: ``confirm`` says something else.
            KeyAgentAway: there is no such agent any more.
        """
        self._access.check(principal, DELETE_ACTION)
        async with self._db.write() as uow:
            row = await key_transfers.visible_row(uow.session, principal, certificate_id)
            if not row_has_key(row):
                raise KeyNotKept
            if confirm != row.common_name:
                raise NotConfirmed
            await self._send(uow, row, row.key_agent_id or "", DeleteKey(key_id=row.key_id))
            await key_transfers.tell(
                uow, row.id, "KeyDeletionRequested", principal=principal, key_id=row.key_id
            )

    async def _send(self, uow: UnitOfWork, row: OrderRow, agent_id: str, body: ImportKey | DeleteKey) -> None:
        deadline_s = (
            int(LIFETIME.total_seconds()) if isinstance(body, ImportKey) else dispatch.KEEPING_DEADLINE_S
        )
        refused = await dispatch.send(
            uow, self._rooms.fleet, row=row, agent_id=agent_id, body=body, deadline_s=deadline_s
        )
        if refused is not None:
            raise KeyAgentAway(refused.message)

    async def _agent(self, uow: UnitOfWork, row: OrderRow, agent_id: str) -> AgentRecord:
        try:
            agent = await self._rooms.fleet.agent(uow.session, agent_id)
        except NotFound as fault:
            raise KeyAgentAway("the organization has no such agent") from fault
        # An agent of another organization is as unknown here as one that does not exist.
        if agent.kind != "pks" or agent.organization_id not in {None, row.organization_id}:
            raise KeyAgentAway("the organization has no such agent")
        return agent

    # ---- outcomes

    async def on_imported(self, uow: UnitOfWork, finished: FinishedCommand) -> None:
        """Note that the agent has the key, or why it did not take it."""
        row = await dispatch.take_outcome(uow, finished)
        if row is None or not isinstance(finished.body, ImportKey):
            return
        transfer = await key_transfers.find(
            uow.session, KeyTransfer.id == finished.body.key_id.removeprefix("upload-")
        )
        if transfer is None:
            return
        if isinstance(finished.result, KeyImported) and row.key_agent_id is None:
            await self._keep(uow, row, finished)
            if transfer.state == TransferState.REQUESTED:
                await key_transfers.move(uow, transfer, TransferEvent.STORE)
            return
        failure = finished.failure
        values = {
            "reason": failure.reason if failure else "KeyKeptAlready",
            "message": failure.message if failure else "an agent has the key already",
        }
        if transfer.state == TransferState.REQUESTED:
            await key_transfers.move(uow, transfer, TransferEvent.FAIL, values=values)

    async def _keep(self, uow: UnitOfWork, row: OrderRow, finished: FinishedCommand) -> None:
        key_id = finished.body.key_id if isinstance(finished.body, ImportKey) else ""
        await uow.session.execute(
            update(Certificate)
            .where(Certificate.id == row.id)
            .values(key_location=KeyLocation.PKS.value, key_agent_id=finished.agent_id, key_id=key_id)
        )
        place = {
            "certificate_id": row.id,
            "kind": "private_key_agent",
            "agent_id": finished.agent_id,
            "name": key_id,
            "has_private_key": True,
        }
        await see_places(uow, [place])

    async def on_deleted(self, uow: UnitOfWork, finished: FinishedCommand) -> None:
        """Note that the key is gone, or why it is not."""
        row = await dispatch.take_outcome(uow, finished)
        if row is None or not isinstance(finished.body, DeleteKey):
            return
        if not isinstance(finished.result, KeyDeleted):
            failure = finished.failure
            await key_transfers.tell(
                uow,
                row.id,
                "KeyDeletionFailed",
                principal=SYSTEM,
                reason=failure.reason if failure else "",
                message=failure.message if failure else "",
            )
            return
        if row.key_agent_id == finished.agent_id and row.key_id == finished.body.key_id:
            await uow.session.execute(
                update(Certificate)
                .where(Certificate.id == row.id)
                .values(key_location="", key_agent_id=None, key_id="", reuse_key=False)
            )
        await uow.session.execute(
            update(CertificateLocation)
            .where(
                CertificateLocation.kind == "private_key_agent",
                CertificateLocation.agent_id == finished.agent_id,
                CertificateLocation.name == finished.body.key_id,
            )
            .values(present=False, has_private_key=False)
        )
        await key_transfers.tell(
            uow,
            row.id,
            "KeyDeleted",
            principal=SYSTEM,
            agent_id=finished.agent_id,
            key_id=finished.body.key_id,
        )


async def _refuse_second(uow: UnitOfWork, certificate_id: int) -> None:
    if await dispatch.is_running(uow, certificate_id, kinds=(IMPORT_KIND,)):
        raise KeyKeptAlready("another upload for this certificate is under way")


def _envelope(text: str) -> bytes:
    try:
        sealed = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise EnvelopeMalformed("write the envelope in base64") from fault
    if not 49 <= len(sealed) <= MAX_ENVELOPE_BYTES:
        raise EnvelopeMalformed("the envelope is cut short or too large")
    return sealed
