"""Bringing an issued certificate to where it belongs: beside its key, and to the agents of its nodes.

A key made on the target never moves. A key in the private key store moves only to be installed, and only
sealed to the receiving agent: the hub relays an envelope that it can't open.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from hub.db.uow import Database, UnitOfWork
from hub.fleet.commands import (
    CertificateStored,
    CommandBody,
    ExportKey,
    FinishedCommand,
    KeyExported,
    SealedKey,
    StoreCertificate,
    kind_of,
)
from hub.lifecycle import dispatch, step_queue
from hub.lifecycle.installation import conclude_installation, continue_installation, fail_installation
from hub.lifecycle.item_updates import see_places, update_items
from hub.lifecycle.models import CertificateBody
from hub.lifecycle.orders import OrderRow, read_order
from hub.lifecycle.ports import Rooms
from hub.lifecycle.requests import KeyLocation
from hub.lifecycle.states import CertificateStatus, ItemEvent
from hub.lifecycle.step_queue import NewStep, Step
from hub.lifecycle.transitions import event_of, head_of
from pki.findings import Finding

LIVE = frozenset({CertificateStatus.ISSUED, CertificateStatus.DOWNLOADED})
STORE_KIND, EXPORT_KIND = "StoreCertificate", "ExportKey"


class Delivery:
    """Steps ``store``, ``export_key`` and ``deliver``, and the outcomes of their commands."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self._db = db
        self._rooms = rooms

    async def store(self, step: Step) -> None:
        """Send the certificate to the agent that has its key."""
        async with self._db.write() as uow:
            row = await _take(uow, step)
            if row is None or row.key_agent_id is None:
                return
            if await dispatch.is_running(uow, row.id, kinds=(STORE_KIND,), agent_id=row.key_agent_id):
                return
            body = StoreCertificate(key_id=row.key_id, chain=await chain_of(uow, row))
            await self._send(uow, row, row.key_agent_id, body, receiver=row.key_agent_id)

    async def export_key(self, step: Step) -> None:
        """Ask the private key store to seal the key to the agent that the step names."""
        async with self._db.write() as uow:
            row = await _take(uow, step)
            if row is None or row.key_agent_id is None or row.key_location != KeyLocation.PKS:
                return
            receiver = await self._rooms.fleet.agent(uow.session, step.agent_id)
            body = ExportKey(
                key_id=row.key_id,
                receiver_public_key=receiver.receiver_public_key,
                receiver_agent_id=receiver.id,
            )
            await self._send(uow, row, row.key_agent_id, body, receiver=receiver.id)

    async def deliver(self, step: Step) -> None:
        """Send certificate and sealed key to the agent that can open it."""
        async with self._db.write() as uow:
            row = await _take(uow, step)
            if row is None or step.payload is None:
                return
            body = StoreCertificate(
                key_id=row.key_id, chain=await chain_of(uow, row), sealed_key=_sealed_key(step.payload)
            )
            await self._send(uow, row, step.agent_id, body, receiver=step.agent_id)

    async def _send(
        self, uow: UnitOfWork, row: OrderRow, agent_id: str, body: CommandBody, *, receiver: str
    ) -> None:
        refused = await dispatch.send(uow, self._rooms.fleet, row=row, agent_id=agent_id, body=body)
        if refused is not None:
            await _fail(uow, row, _Fault(agent_id, kind_of(body), refused), receiver=receiver)

    async def on_exported(self, uow: UnitOfWork, finished: FinishedCommand) -> None:
        """Keep the envelope for the next step, or fail the installation."""
        row = await dispatch.take_outcome(uow, finished)
        if row is None or row.status not in LIVE or not isinstance(finished.body, ExportKey):
            return
        receiver = finished.body.receiver_agent_id
        if isinstance(finished.result, KeyExported):
            payload = _payload(finished.result.sealed_key)
            await step_queue.schedule(
                uow,
                [
                    NewStep(
                        certificate_id=row.id,
                        name=step_queue.DELIVER,
                        agent_id=receiver,
                        payload=payload,
                    )
                ],
            )
            return
        await _fail(uow, row, _fault_of(finished), receiver=receiver)

    async def on_stored(self, uow: UnitOfWork, finished: FinishedCommand) -> None:
        """Note where the certificate is, and go on with an installation that waits for it."""
        row = await dispatch.take_outcome(uow, finished)
        if row is None or not isinstance(finished.body, StoreCertificate):
            return
        was_delivered = finished.body.sealed_key is not None
        if isinstance(finished.result, CertificateStored):
            in_key_store = row.key_location == KeyLocation.PKS and not was_delivered
            place = {
                "certificate_id": row.id,
                "kind": "private_key_agent" if in_key_store else "network_agent",
                "agent_id": finished.agent_id,
                "name": row.key_id,
                "has_private_key": True,
            }
            await see_places(uow, [place])
            uow.emit(
                event_of(await head_of(uow.session, row.id), "CertificateStored", agent_id=finished.agent_id)
            )
            if in_key_store:
                # The key's way to the nodes may have ended already; this command was what kept the end open.
                await conclude_installation(uow, row.id)
                return
            await update_items(uow, row.id, ItemEvent.SAVE_CERTIFICATE, agent_id=finished.agent_id)
            if row.status in LIVE:
                await continue_installation(uow, row, agent_id=finished.agent_id)
            return
        await _fail(uow, row, _fault_of(finished), receiver=finished.agent_id)


@dataclass(frozen=True, slots=True)
class _Fault:
    """A command that came to nothing."""

    agent_id: str
    command: str
    finding: Finding


def _fault_of(finished: FinishedCommand) -> _Fault:
    failure = finished.failure
    finding = (
        Finding(failure.reason, failure.message)
        if failure
        else Finding("NoAnswer", "the agent gave no result")
    )
    return _Fault(finished.agent_id, finished.kind, finding)


async def _fail(uow: UnitOfWork, row: OrderRow, fault: _Fault, *, receiver: str) -> None:
    head = await head_of(uow.session, row.id)
    reason, message = fault.finding.reason, fault.finding.message
    uow.emit(
        event_of(
            head,
            "CertificateDeliveryFailed",
            agent_id=fault.agent_id,
            command=fault.command,
            reason=reason,
            message=message,
        )
    )
    await fail_installation(uow, row, agent_id=receiver, reason=reason, message=message)


async def _take(uow: UnitOfWork, step: Step) -> OrderRow | None:
    await step_queue.finish_one(uow, step)
    row = await read_order(uow.session, step.certificate_id)
    return row if row is not None and row.status in LIVE else None


async def chain_of(uow: UnitOfWork, row: OrderRow) -> tuple[bytes, ...]:
    """Return the DER certificates of a row's chain, leaf first."""
    found = await uow.session.execute(
        select(CertificateBody.sha256, CertificateBody.der).where(CertificateBody.sha256.in_(row.chain))
    )
    bodies = dict(found.all())
    return tuple(bodies[sha256] for sha256 in row.chain if sha256 in bodies)


def _payload(sealed: SealedKey) -> dict[str, Any]:
    return {
        "envelope": base64.b64encode(sealed.envelope).decode(),
        "spki_sha256": sealed.spki_sha256.hex(),
        "sender_agent_id": sealed.sender_agent_id,
    }


def _sealed_key(payload: dict[str, Any]) -> SealedKey:
    return SealedKey(
        envelope=base64.b64decode(payload["envelope"]),
        spki_sha256=bytes.fromhex(payload["spki_sha256"]),
        sender_agent_id=payload["sender_agent_id"],
    )
