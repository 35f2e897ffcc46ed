"""Moving installation items along their state table, and places where certificates are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.lifecycle.models import CertificateLocation, InstallItem
from hub.lifecycle.states import ITEM, ItemEvent, ItemStatus, next_state
from hub.lifecycle.transitions import event_of, head_of

_PLACE = ("certificate_id", "kind", "agent_id", "address", "port", "name")


async def update_items(
    uow: UnitOfWork,
    certificate_id: int,
    event: ItemEvent,
    *,
    agent_id: str,
    server: str | None = None,
    node_id: str | None = None,
    values: dict[str, Any] | None = None,
) -> None:
    """Let ``event`` happen to the items of one agent (or one node of it) where their state allows it.

    Items that are Invalid take no part any more and stay as they are. Each change of a status is told.
    """
    statement = select(InstallItem.id, InstallItem.status, InstallItem.server, InstallItem.node_id).where(
        InstallItem.certificate_id == certificate_id, InstallItem.agent_id == agent_id
    )
    if server is not None:
        statement = statement.where(InstallItem.server == server, InstallItem.node_id == node_id)
    columns = {"reason": "", "message": "", **(values or {})}
    for item in (await uow.session.execute(statement)).all():
        if (ItemStatus(item.status), event) not in ITEM:
            continue
        row = next_state(ITEM, ItemStatus(item.status), event)
        await uow.session.execute(
            update(InstallItem)
            .where(InstallItem.id == item.id, InstallItem.status == item.status)
            .values(**columns, status=row.next, updated_at=uow.now)
        )
        if row.next != item.status:
            head = await head_of(uow.session, certificate_id)
            place = {"agent_id": agent_id, "server": item.server, "node_id": item.node_id}
            told = {"before": item.status, "status": row.next, "reason": columns["reason"]}
            uow.emit(event_of(head, "InstallItemChanged", item_id=item.id, **place, **told))


async def see_places(uow: UnitOfWork, places: Sequence[dict[str, Any]]) -> None:
    """Record that certificates were seen at places, set-based; a place known already is seen again.

    Each dict has ``certificate_id``, ``kind`` and what of ``agent_id``, ``address``, ``port``, ``name``,
    ``hostname``, ``details``, ``has_private_key`` and ``seen_at`` applies.
    """
    if not places:
        return
    rows = {}
    for place in places:
        seen_at = place.get("seen_at") or uow.now
        row = {
            "agent_id": "",
            "address": "",
            "port": 0,
            "name": "",
            "hostname": "",
            "details": "",
            "has_private_key": False,
            **{key: value for key, value in place.items() if key != "seen_at"},
            "first_seen": seen_at,
            "last_seen": seen_at,
            "present": True,
        }
        rows[tuple(row[key] for key in _PLACE)] = row
    statement = insert_for(uow.session, CertificateLocation.__table__)
    statement = statement.on_conflict_do_update(
        index_elements=list(_PLACE),
        set_={
            "last_seen": statement.excluded.last_seen,
            "hostname": statement.excluded.hostname,
            "details": statement.excluded.details,
            "has_private_key": statement.excluded.has_private_key,
            "present": True,
        },
    )
    # In one order everywhere: two scans that meet can't block one another.
    await uow.session.execute(statement, [rows[key] for key in sorted(rows)])
