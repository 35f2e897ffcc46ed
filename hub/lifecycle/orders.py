"""A certificate's row as issuance reads it, and the order that is made of it.

The order is stored with the backend's intent, so that a repeat after a crash orders exactly the same,
whatever became of profile and organization meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.issuers.contract import CertificateOrder, Intent
from hub.lifecycle.models import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """What issuance, delivery and installation need of a certificate's row."""

    id: int
    type: str
    status: str
    organization_id: int | None
    department_id: int | None
    common_name: str
    dns_names: list[str]
    ip_addresses: list[str]
    profile_id: int | None
    backend_id: int | None
    term_days: int
    method: str
    subject_fields: dict[str, Any]
    order_id: str | None
    intent: dict[str, Any] | None
    csr: bytes | None
    requester: str
    key_type: str
    key_location: str
    key_agent_id: str | None
    key_id: str
    spki_sha256: str
    reuse_key: bool
    renews_id: int | None
    replaces: bool
    installation: str
    install_state: str
    fingerprint_sha256: str | None
    chain: list[str]
    applied_at: datetime | None

    def with_(self, **changes: Any) -> OrderRow:
        """Return a copy with some columns changed."""
        return replace(self, **changes)


_COLUMNS = tuple(getattr(Certificate, field.name) for field in fields(OrderRow))


async def read_orders(session: AsyncSession, certificate_ids: Iterable[int]) -> dict[int, OrderRow]:
    """Return the rows of certificates by id."""
    rows = await session.execute(select(*_COLUMNS).where(Certificate.id.in_(list(certificate_ids))))
    return {row.id: OrderRow(**row._asdict()) for row in rows}


async def read_order(session: AsyncSession, certificate_id: int) -> OrderRow | None:
    """Return the row of one certificate."""
    return (await read_orders(session, [certificate_id])).get(certificate_id)


def order_of(
    row: OrderRow, usages: dict[str, Any], at: datetime, not_after: datetime | None = None
) -> CertificateOrder:
    """Return the order that a row stands for.

    ``usages`` holds ``key_usage`` and ``extended_key_usage`` of the profile, or of the stored intent.
    ``not_after`` is the end on the organization's synchronised day, if it has one.
    """
    return CertificateOrder(
        order_id=row.order_id or "",
        certificate_type=row.type,
        csr=row.csr or b"",
        subject={str(name): str(value) for name, value in row.subject_fields.items()},
        dns_names=tuple(row.dns_names),
        ip_addresses=tuple(row.ip_addresses),
        term_days=row.term_days,
        key_usage=tuple(usages["key_usage"]),
        extended_key_usage=tuple(usages["extended_key_usage"]),
        not_before=at,
        not_after=not_after,
    )


def intent_document(order: CertificateOrder, intent: Intent) -> dict[str, Any]:
    """Return what is stored before the order is submitted."""
    return {
        "serial_hex": intent.serial_hex,
        "document": dict(intent.document),
        "key_usage": list(order.key_usage),
        "extended_key_usage": list(order.extended_key_usage),
        "not_before": order.not_before.isoformat(),
        "not_after": order.not_after.isoformat() if order.not_after else None,
    }


def stored_order(row: OrderRow) -> tuple[CertificateOrder, Intent]:
    """Return the order and the intent that were stored with a row; raise ValueError if none were."""
    if row.intent is None:
        raise ValueError(f"certificate {row.id} has no stored intent")
    not_after = row.intent.get("not_after")
    order = order_of(
        row,
        row.intent,
        datetime.fromisoformat(row.intent["not_before"]),
        datetime.fromisoformat(not_after) if not_after else None,
    )
    return order, Intent(serial_hex=row.intent["serial_hex"], document=row.intent["document"])
