"""Rows of key transfers: written, moved along their state table, and emptied when their time is over."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import SYSTEM, Principal
from hub.lifecycle.errors import CertificateNotFound, ChangedMeanwhile
from hub.lifecycle.key_errors import TransferNotFound
from hub.lifecycle.key_transfer_states import (
    KEY_TRANSFER,
    OPEN_STATES,
    TransferEvent,
    TransferKind,
    TransferState,
)
from hub.lifecycle.models import KeyTransfer
from hub.lifecycle.orders import OrderRow, read_order
from hub.lifecycle.scoping import may_act
from hub.lifecycle.states import next_state
from hub.lifecycle.transitions import OBJECT_TYPE, event_of, head_of

LIFETIME = timedelta(minutes=10)
"""So long an envelope waits to be fetched, and an agent may take to answer."""

_SWEEP_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A transfer as it is shown; ``envelope`` only to who asked for it, and once."""

    id: str
    kind: str
    certificate_id: int
    agent_id: str
    certificate_sha256: str
    format: str
    receiver_fingerprint: str
    state: str
    reason: str
    message: str
    requested_by: str
    created_at: datetime
    expires_at: datetime
    envelope: bytes | None = field(default=None, repr=False)


_SHOWN = tuple(getattr(KeyTransfer, name) for name in Transfer.__slots__ if name != "envelope")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransfer:
    """What begins."""

    kind: TransferKind
    agent_id: str
    format: str = ""
    receiver_fingerprint: str = ""


async def begin(uow: UnitOfWork, row: OrderRow, principal: Principal, new: NewTransfer) -> str:
    """Write a new transfer and return its id."""
    transfer_id = str(uuid.uuid4())
    await uow.session.execute(
        insert(KeyTransfer).values(
            id=transfer_id,
            kind=new.kind.value,
            certificate_id=row.id,
            agent_id=new.agent_id,
            certificate_sha256=row.fingerprint_sha256 or "",
            format=new.format,
            receiver_fingerprint=new.receiver_fingerprint,
            state=TransferState.REQUESTED.value,
            requester_kind=principal.kind,
            requester_id=principal.id,
            requested_by=principal.name,
            created_at=uow.now,
            expires_at=uow.now + LIFETIME,
        )
    )
    kind = "KeyDownloadRequested" if new.kind is TransferKind.DOWNLOAD else "KeyUploadRequested"
    details = {
        "transfer_id": transfer_id,
        "agent_id": new.agent_id,
        "format": new.format,
        "receiver": new.receiver_fingerprint,
    }
    await tell(uow, row.id, kind, principal=principal, **details)
    return transfer_id


async def move(
    uow: UnitOfWork,
    transfer: Transfer,
    event: TransferEvent,
    *,
    principal: Principal = SYSTEM,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Let ``event`` happen to a transfer.

    Raises:
        TransitionNotAllowed: the table has no such row.
        ChangedMeanwhile: somebody else was first.
    """
    following = next_state(KEY_TRANSFER, TransferState(transfer.state), event)
    columns = {"envelope": None, **(values or {}), "state": following.next}
    changed = await uow.session.execute(
        update(KeyTransfer)
        .where(KeyTransfer.id == transfer.id, KeyTransfer.state == transfer.state)
        .values(**columns)
        .returning(KeyTransfer.id)
    )
    if changed.one_or_none() is None:
        raise ChangedMeanwhile
    details = {name: columns[name] for name in ("reason", "message") if name in columns}
    await tell(
        uow,
        transfer.certificate_id,
        following.effect,
        principal=principal,
        transfer_id=transfer.id,
        transfer=transfer.kind,
        requested_by=transfer.requested_by,
        **details,
    )


async def find(session: AsyncSession, *conditions: Any) -> Transfer | None:
    """Return the transfer that the conditions select, without its envelope."""
    row = (await session.execute(select(*_SHOWN).where(*conditions))).mappings().one_or_none()
    return Transfer(**row) if row is not None else None


async def find_for(
    session: AsyncSession, certificate_id: int, transfer_id: str, kind: TransferKind
) -> Transfer:
    """Return a transfer of a certificate; raise TransferNotFound."""
    found = await find(
        session,
        KeyTransfer.id == transfer_id,
        KeyTransfer.certificate_id == certificate_id,
        KeyTransfer.kind == kind.value,
    )
    if found is None:
        raise TransferNotFound
    return found


async def envelope_for(session: AsyncSession, transfer: Transfer, principal: Principal) -> bytes | None:
    """Return the envelope, to nobody but who asked for it."""
    found = await session.execute(
        select(KeyTransfer.envelope).where(
            KeyTransfer.id == transfer.id,
            KeyTransfer.requester_kind == principal.kind,
            KeyTransfer.requester_id == principal.id,
        )
    )
    envelope: bytes | None = found.scalar_one_or_none()
    return envelope


async def sweep(db: Database) -> int:
    """End transfers whose time is over, and drop their envelopes; return how many."""
    async with db.write() as uow:
        due = await uow.session.execute(
            select(*_SHOWN)
            .where(
                KeyTransfer.state.in_([state.value for state in OPEN_STATES]),
                KeyTransfer.expires_at <= uow.now,
            )
            .limit(_SWEEP_ROWS)
            .with_for_update(skip_locked=True)
        )
        transfers = [Transfer(**row) for row in due.mappings()]
        for transfer in transfers:
            message = "nobody fetched it in time"
            if transfer.state == TransferState.REQUESTED:
                message = "the agent did not answer in time"
            await move(uow, transfer, TransferEvent.EXPIRE, values={"reason": "Expired", "message": message})
    return len(transfers)


async def visible_row(session: AsyncSession, principal: Principal, certificate_id: int) -> OrderRow:
    """Return a certificate's row within the caller's scope; raise CertificateNotFound."""
    row = await read_order(session, certificate_id)
    if row is None or not may_act(principal, row.organization_id, row.department_id):
        raise CertificateNotFound(f"there is no certificate {certificate_id}")
    return row


async def tell(
    uow: UnitOfWork, certificate_id: int, kind: str, *, principal: Principal, **details: str
) -> None:
    """Emit an event about a certificate's key, and write the audit line."""
    head = await head_of(uow.session, certificate_id)
    uow.emit(event_of(head, kind, **details))
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type=OBJECT_TYPE,
        object_id=str(certificate_id),
        organization_id=head.organization_id,
        department_id=head.department_id,
        certificate_type=head.type,
        details=details,
    )
