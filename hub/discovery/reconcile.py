"""Taking a scan's batch into the inventory: set-based, and repeating it changes nothing.

For each endpoint: is it known, does it serve another certificate than before, which certificate row is it,
which place is that. Thousands of finds cost a few dozen statements.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import select

from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.discovery.models import DiscoveredEndpoint, ScanFind
from hub.fleet.commands import Endpoint, NetworkFinds
from hub.lifecycle.service import Find, LifecycleService, NetworkPlace, Recorded

OBJECT_TYPE = "endpoint"
NETWORK_HOST = "network_host"
UNREADABLE = "CertificateUnreadable"
_CHUNK = 400
_OK, _NOT_TLS = "ok", "not_tls"

Key = tuple[str, int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanHead:
    """The scan that a batch belongs to."""

    id: int
    task_id: int
    agent_id: str
    organization_id: int | None
    department_id: int | None


@dataclass(slots=True)
class BatchCounts:
    """What a batch brought that was not counted before."""

    endpoints: int = 0
    new_certificates: int = 0
    rotations: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    fingerprint: str
    certificate_id: int | None
    first_seen: datetime
    last_seen: datetime
    changed_at: datetime
    last_scan_id: int


@dataclass(slots=True)
class _Plan:
    """What is to be written."""

    endpoints: list[dict[str, Any]] = field(default_factory=list)
    places: list[dict[str, Any]] = field(default_factory=list)
    left: list[NetworkPlace] = field(default_factory=list)
    rotated: list[tuple[Key, _Known, str, int | None]] = field(default_factory=list)
    finds: dict[Key, dict[str, Any]] = field(default_factory=dict)


def key_of(endpoint: Endpoint) -> Key:
    """Return what identifies an endpoint within its agent."""
    return (endpoint.address[:64], endpoint.port, endpoint.server_name[:255])


def leaf_of(endpoint: Endpoint) -> str:
    """Return the fingerprint of the certificate that was served, or nothing."""
    return endpoint.chain_sha256[0].hex() if endpoint.chain_sha256 else ""


async def reconcile(
    uow: UnitOfWork, lifecycle: LifecycleService, scan: ScanHead, finds: NetworkFinds
) -> BatchCounts:
    """Record a batch and return what was new in it."""
    by_key = {key_of(endpoint): endpoint for endpoint in finds.endpoints}
    endpoints = {key: by_key[key] for key in sorted(by_key)}
    recorded = await _record_certificates(uow, lifecycle, scan, finds, endpoints.values())
    known = await _known(uow, scan.agent_id, {key[0] for key in endpoints})
    plan = _plan(scan, endpoints, known, recorded)
    ids = await _write_endpoints(uow, plan.endpoints)
    ids.update({key: item.id for key, item in known.items() if key in endpoints and key not in ids})
    await _write_finds(uow, scan, plan.finds, ids)
    await lifecycle.leave_places(uow, plan.left)
    await lifecycle.see_places(uow, plan.places)
    _tell_rotations(uow, scan, plan, ids)
    return BatchCounts(
        endpoints=sum(1 for key in endpoints if key not in known or known[key].last_scan_id != scan.id),
        new_certificates=len(recorded.new_ids),
        rotations=len(plan.rotated),
    )


async def _record_certificates(
    uow: UnitOfWork,
    lifecycle: LifecycleService,
    scan: ScanHead,
    finds: NetworkFinds,
    endpoints: Iterable[Endpoint],
) -> Recorded:
    chains = {
        leaf_of(endpoint): [sha256.hex() for sha256 in endpoint.chain_sha256]
        for endpoint in endpoints
        if endpoint.chain_sha256
    }
    bodies = {hashlib.sha256(der).hexdigest(): der for der in finds.certificates}
    return await lifecycle.record_found(
        uow,
        Find(
            chains=chains,
            bodies=bodies,
            organization_id=scan.organization_id,
            department_id=scan.department_id,
        ),
    )


async def _known(uow: UnitOfWork, agent_id: str, addresses: Iterable[str]) -> dict[Key, _Known]:
    table = DiscoveredEndpoint
    known: dict[Key, _Known] = {}
    iterator = iter(addresses)
    while chunk := list(islice(iterator, _CHUNK)):
        rows = await uow.session.execute(
            select(
                table.address,
                table.port,
                table.server_name,
                table.id,
                table.fingerprint_sha256,
                table.certificate_id,
                table.first_seen,
                table.last_seen,
                table.changed_at,
                table.last_scan_id,
            ).where(table.agent_id == agent_id, table.address.in_(chunk))
        )
        for address, port, server_name, *rest in rows.all():
            known[(address, port, server_name)] = _Known(*rest)
    return known


def _plan(
    scan: ScanHead,
    endpoints: Mapping[Key, Endpoint],
    known: Mapping[Key, _Known],
    recorded: Recorded,
) -> _Plan:
    plan = _Plan()
    for key, endpoint in endpoints.items():
        leaf = leaf_of(endpoint)
        before = known.get(key)
        certificate_id = recorded.ids.get(leaf) if leaf else None
        status, reason = endpoint.status, endpoint.reason
        if leaf in recorded.unreadable:
            status, reason = "tls_failed", UNREADABLE
        plan.finds[key] = {
            "certificate_id": certificate_id,
            "fingerprint_sha256": leaf,
            "status": status[:24],
            "reason": reason[:64],
            "protocol": endpoint.protocol[:16],
            "is_new": certificate_id in recorded.new_ids,
            "seen_at": endpoint.seen_at,
        }
        if before is not None and before.last_seen > endpoint.seen_at:
            # An old batch that comes again after newer ones tells nothing about the present.
            continue
        _plan_endpoint(plan, scan, key, endpoint, before=before)
    return plan


def _plan_endpoint(
    plan: _Plan, scan: ScanHead, key: Key, endpoint: Endpoint, *, before: _Known | None
) -> None:
    find = plan.finds[key]
    leaf, certificate_id = find["fingerprint_sha256"], find["certificate_id"]
    address, port, server_name = key
    if before is not None and before.certificate_id is not None and _served_other(before, leaf, endpoint):
        plan.left.append(NetworkPlace(before.certificate_id, scan.agent_id, address, port, server_name))
        if leaf:
            plan.rotated.append((key, before, leaf, certificate_id))
    if not leaf and before is not None and endpoint.status != _NOT_TLS:
        # A handshake that failed once does not take away what is known.
        leaf, certificate_id = before.fingerprint, before.certificate_id
    unchanged = before is not None and before.fingerprint == leaf
    plan.endpoints.append(
        {
            "agent_id": scan.agent_id,
            "organization_id": scan.organization_id,
            "department_id": scan.department_id,
            "address": address,
            "port": port,
            "server_name": server_name,
            "hostname": endpoint.hostname[:255],
            "status": find["status"],
            "reason": find["reason"],
            "protocol": find["protocol"],
            "partial": endpoint.partial,
            "fingerprint_sha256": leaf,
            "certificate_id": certificate_id,
            "first_seen": before.first_seen if before else endpoint.seen_at,
            "last_seen": endpoint.seen_at,
            "changed_at": before.changed_at if before and unchanged else endpoint.seen_at,
            "last_scan_id": scan.id,
            "present": True,
        }
    )
    if find["certificate_id"] is not None:
        plan.places.append(
            {
                "certificate_id": find["certificate_id"],
                "kind": NETWORK_HOST,
                "agent_id": scan.agent_id,
                "address": address,
                "port": port,
                "name": server_name,
                "hostname": endpoint.hostname[:255],
                "seen_at": endpoint.seen_at,
            }
        )


def _served_other(before: _Known, leaf: str, endpoint: Endpoint) -> bool:
    if leaf:
        return before.fingerprint != leaf
    return endpoint.status == _NOT_TLS


async def _write_endpoints(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> dict[Key, int]:
    if not rows:
        return {}
    table: Any = DiscoveredEndpoint.__table__
    statement = insert_for(uow.session, table)
    kept = {"agent_id", "address", "port", "server_name", "first_seen"}
    statement = statement.on_conflict_do_update(
        index_elements=["agent_id", "address", "port", "server_name"],
        set_={name: statement.excluded[name] for name in rows[0] if name not in kept},
    )
    written = await uow.session.execute(
        statement.returning(table.c.address, table.c.port, table.c.server_name, table.c.id), list(rows)
    )
    return {(address, port, server_name): key for address, port, server_name, key in written.all()}


async def _write_finds(
    uow: UnitOfWork, scan: ScanHead, finds: Mapping[Key, dict[str, Any]], ids: Mapping[Key, int]
) -> None:
    if not finds:
        return
    statement = insert_for(uow.session, ScanFind.__table__).on_conflict_do_nothing()
    await uow.session.execute(
        statement,
        [{"scan_id": scan.id, "endpoint_id": ids[key], **values} for key, values in finds.items()],
    )


def _tell_rotations(uow: UnitOfWork, scan: ScanHead, plan: _Plan, ids: Mapping[Key, int]) -> None:
    for key, before, leaf, certificate_id in plan.rotated:
        address, port, server_name = key
        uow.emit(
            Event(
                kind="EndpointRotated",
                object_type=OBJECT_TYPE,
                object_id=str(ids[key]),
                organization_id=scan.organization_id,
                department_id=scan.department_id,
                data={
                    "address": address,
                    "port": port,
                    "server_name": server_name,
                    "before": before.fingerprint,
                    "after": leaf,
                    "certificate_id": certificate_id,
                    "previous_certificate_id": before.certificate_id,
                    "scan_id": scan.id,
                },
            )
        )
