"""What notifications are about: facts of objects, read in bulk, as values for templates.

One loader a kind of object. Values are text; times are in UTC. Where an object belongs decides who is told.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.notifications.tables import (
    ADMINISTRATORS,
    AGENTS,
    AUTHORITIES,
    BACKENDS,
    CERTIFICATES,
    DEPARTMENTS,
    DOMAINS,
    IMPORTS,
    ORGANIZATIONS,
    PROFILES,
    SCANS,
    TASKS,
    VALIDATIONS,
)

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFacts:
    """An object: its values for templates, where it belongs, and who asked for it."""

    object_type: str
    object_id: str
    values: Mapping[str, str]
    path: str
    organization_id: int | None = None
    department_id: int | None = None
    certificate_type: str | None = None
    profile_id: int | None = None
    status: str = ""
    suspended: bool = False
    requester_id: int | None = None
    requester: str = ""
    external_requesters: str = ""
    ends_at: datetime | None = None
    has_passphrase: bool = False


def time_text(at: datetime | None) -> str:
    """Return a time as people read it, in UTC; nothing for None."""
    return at.strftime("%Y-%m-%d %H:%M UTC") if at is not None else ""


def days_left(until: datetime | None, now: datetime) -> int:
    """Return the days until then, rounded up; 0 when it has passed."""
    return max(0, math.ceil((until - now).total_seconds() / 86400)) if until is not None else 0


def _ending(until: datetime | None, now: datetime) -> dict[str, str]:
    if until is None:
        return {}
    return {"not_after": time_text(until), "days_left": str(days_left(until, now))}


_ORGANIZATION = ORGANIZATIONS.c.name.label("organization_name")
_DEPARTMENT = DEPARTMENTS.c.name.label("department_name")


def _select_certificates() -> Select[Any]:
    c = CERTIFICATES.c
    return select(*c, _ORGANIZATION, _DEPARTMENT, PROFILES.c.name.label("profile_name")).select_from(
        CERTIFICATES.outerjoin(ORGANIZATIONS, ORGANIZATIONS.c.id == c.organization_id)
        .outerjoin(DEPARTMENTS, DEPARTMENTS.c.id == c.department_id)
        .outerjoin(PROFILES, PROFILES.c.id == c.profile_id)
    )


def _certificate(row: Any, now: datetime) -> ObjectFacts:
    return ObjectFacts(
        object_type="certificate",
        object_id=str(row.id),
        path=f"/certificates/ssl/{row.id}",
        organization_id=row.organization_id,
        department_id=row.department_id,
        certificate_type=row.type,
        profile_id=row.profile_id,
        status=row.status,
        suspended=bool(row.notifications_suspended),
        requester_id=row.requester_id,
        requester=row.requester,
        external_requesters=row.external_requester,
        ends_at=row.not_after,
        has_passphrase=bool(row.passphrase_hash),
        values={
            "common_name": row.common_name or next(iter(row.dns_names or ()), ""),
            "names": ", ".join([*(row.dns_names or ()), *(row.ip_addresses or ())]),
            "type": row.type,
            "serial": row.serial_hex,
            "issuer": row.issuer,
            "fingerprint": row.fingerprint_sha256 or "",
            "not_before": time_text(row.not_before),
            **_ending(row.not_after, now),
            "term_days": str(row.term_days or ""),
            "profile": row.profile_name or "",
            "key_type": row.key_type,
            "order_number": row.order_number,
            "requester": row.requester,
            "external_requesters": row.external_requester,
            "approver": row.approver,
            "decision_message": row.decision_message,
            "comments": row.comments,
            "revocation_reason": row.revocation_reason,
            "install_state": row.install_state,
            "renewal_state": row.renewal_state,
            "reason": row.status_reason,
            "message": row.status_message,
            "organization": row.organization_name or "",
            "department": row.department_name or "",
        },
    )


def _select_scans() -> Select[Any]:
    c = SCANS.c
    return select(
        *c,
        _ORGANIZATION,
        _DEPARTMENT,
        TASKS.c.name.label("task_name"),
        AGENTS.c.name.label("agent_name"),
    ).select_from(
        SCANS.outerjoin(ORGANIZATIONS, ORGANIZATIONS.c.id == c.organization_id)
        .outerjoin(DEPARTMENTS, DEPARTMENTS.c.id == c.department_id)
        .outerjoin(TASKS, TASKS.c.id == c.task_id)
        .outerjoin(AGENTS, AGENTS.c.id == c.agent_id)
    )


def _scan(row: Any, now: datetime) -> ObjectFacts:
    del now
    counts = ("endpoints_found", "certificates_found", "certificates_new", "rotations", "disappeared")
    return ObjectFacts(
        object_type="scan",
        object_id=str(row.id),
        path=f"/discovery/scans/{row.id}",
        organization_id=row.organization_id,
        department_id=row.department_id,
        certificate_type="ssl",
        status=row.state,
        values={
            "name": row.task_name or "",
            "agent": row.agent_name or "",
            "started": time_text(row.started_at),
            "ended": time_text(row.finished_at),
            "started_by": row.requested_by,
            "targets_scanned": str(row.targets_done),
            **{name: str(getattr(row, name)) for name in counts},
            "reason": row.reason,
            "message": row.message,
            "organization": row.organization_name or "",
            "department": row.department_name or "",
        },
    )


def _select_agents() -> Select[Any]:
    c = AGENTS.c
    return select(*c, _ORGANIZATION).select_from(
        AGENTS.outerjoin(ORGANIZATIONS, ORGANIZATIONS.c.id == c.organization_id)
    )


def _agent(row: Any, now: datetime) -> ObjectFacts:
    return ObjectFacts(
        object_type="agent",
        object_id=row.id,
        path=f"/agents/{row.id}",
        organization_id=row.organization_id,
        status=row.status,
        ends_at=row.certificate_not_after,
        values={
            "name": row.name,
            "kind": row.kind,
            "hostname": row.hostname,
            "version": row.version,
            "last_seen": time_text(row.last_seen_at),
            **_ending(row.certificate_not_after, now),
            "organization": row.organization_name or "",
        },
    )


def _select_validations() -> Select[Any]:
    c = VALIDATIONS.c
    return select(*c, _ORGANIZATION).select_from(
        VALIDATIONS.outerjoin(ORGANIZATIONS, ORGANIZATIONS.c.id == c.organization_id)
    )


def _validation(row: Any, now: datetime) -> ObjectFacts:
    return ObjectFacts(
        object_type="domain_validation",
        object_id=str(row.id),
        path=f"/domain-validation/{row.id}",
        organization_id=row.organization_id,
        status=row.state,
        ends_at=row.expires_at,
        values={
            "domain": row.domain,
            "method": row.method or "",
            "validated_at": time_text(row.validated_at),
            **_ending(row.expires_at, now),
            "organization": row.organization_name or "",
        },
    )


def _select_domains() -> Select[Any]:
    c = DOMAINS.c
    return select(*c, _ORGANIZATION, _DEPARTMENT).select_from(
        DOMAINS.outerjoin(ORGANIZATIONS, ORGANIZATIONS.c.id == c.organization_id).outerjoin(
            DEPARTMENTS, DEPARTMENTS.c.id == c.department_id
        )
    )


def _domain(row: Any, now: datetime) -> ObjectFacts:
    del now
    return ObjectFacts(
        object_type="domain",
        object_id=str(row.id),
        path=f"/domains/{row.id}",
        organization_id=row.organization_id,
        department_id=row.department_id,
        status=row.state,
        requester=row.requested_by,
        values={
            "name": row.name,
            "requested_by": row.requested_by,
            "decided_by": row.decided_by,
            "decision_message": row.decision_message,
            "organization": row.organization_name or "",
            "department": row.department_name or "",
        },
    )


def _select_organizations() -> Select[Any]:
    return select(*ORGANIZATIONS.c)


def _organization(row: Any, now: datetime) -> ObjectFacts:
    return ObjectFacts(
        object_type="organization",
        object_id=str(row.id),
        path=f"/organizations/{row.id}",
        organization_id=row.id,
        status=row.validation,
        ends_at=row.validation_expires_at,
        values={
            "name": row.name,
            "organization": row.name,
            **_ending(row.validation_expires_at, now),
        },
    )


def _select_administrators() -> Select[Any]:
    return select(*ADMINISTRATORS.c)


def _administrator(row: Any, now: datetime) -> ObjectFacts:
    del now
    return ObjectFacts(
        object_type="administrator",
        object_id=str(row.id),
        path=f"/administrators/{row.id}",
        status="active" if row.active else "inactive",
        values={
            "name": row.name,
            "username": row.username,
            "email": row.email,
            "created_by": row.created_by,
        },
    )


def _select_authorities() -> Select[Any]:
    c = AUTHORITIES.c
    return select(*c, BACKENDS.c.name.label("backend_name")).select_from(
        AUTHORITIES.outerjoin(BACKENDS, BACKENDS.c.id == c.backend_id)
    )


def _authority(row: Any, now: datetime) -> ObjectFacts:
    return ObjectFacts(
        object_type="ca_authority",
        object_id=str(row.id),
        path=f"/ca-backends/{row.backend_id}",
        status=row.role,
        ends_at=row.not_after,
        values={
            "name": row.slug,
            "backend": row.backend_name or "",
            **_ending(row.not_after, now),
            "trial_until": "" if row.trial_until is None else time_text(row.trial_until),
        },
    )


def _select_imports() -> Select[Any]:
    c = IMPORTS.c
    return select(*c, _ORGANIZATION, _DEPARTMENT).select_from(
        IMPORTS.outerjoin(ORGANIZATIONS, ORGANIZATIONS.c.id == c.organization_id).outerjoin(
            DEPARTMENTS, DEPARTMENTS.c.id == c.department_id
        )
    )


def _import(row: Any, now: datetime) -> ObjectFacts:
    del now
    return ObjectFacts(
        object_type="certificate_import",
        object_id=str(row.id),
        path=f"/certificates/ssl/imports/{row.id}",
        organization_id=row.organization_id,
        department_id=row.department_id,
        certificate_type="ssl",
        status=row.state,
        requester_id=row.administrator_id,
        requester=row.administrator,
        values={
            "name": row.filename,
            "imported": str(row.files_imported),
            "failed": str(row.files_failed),
            "message": row.message,
            "organization": row.organization_name or "",
            "department": row.department_name or "",
        },
    )


Make = Callable[[Any, datetime], ObjectFacts]

_LOADERS: Mapping[str, tuple[Select[Any], Any, Make, Callable[[str], Any]]] = {
    "certificate": (_select_certificates(), CERTIFICATES.c.id, _certificate, int),
    "scan": (_select_scans(), SCANS.c.id, _scan, int),
    "agent": (_select_agents(), AGENTS.c.id, _agent, str),
    "domain_validation": (_select_validations(), VALIDATIONS.c.id, _validation, int),
    "domain": (_select_domains(), DOMAINS.c.id, _domain, int),
    "organization": (_select_organizations(), ORGANIZATIONS.c.id, _organization, int),
    "administrator": (_select_administrators(), ADMINISTRATORS.c.id, _administrator, int),
    "certificate_import": (_select_imports(), IMPORTS.c.id, _import, int),
    "ca_authority": (_select_authorities(), AUTHORITIES.c.id, _authority, int),
}

Describe = Callable[[AsyncSession, str, Collection[str], datetime], Awaitable[dict[str, ObjectFacts]]]


async def describe(
    session: AsyncSession, object_type: str, object_ids: Collection[str], now: datetime
) -> dict[str, ObjectFacts]:
    """Return the facts of objects by their ids; those that are gone, or of an unknown kind, are left out."""
    loader = _LOADERS.get(object_type)
    if loader is None:
        return {}
    statement, id_column, make, read_id = loader
    found: dict[str, ObjectFacts] = {}
    ids = [read_id(each) for each in object_ids if read_id is str or each.isdecimal()]
    for start in range(0, len(ids), _CHUNK):
        rows = await session.execute(statement.where(id_column.in_(ids[start : start + _CHUNK])))
        for row in rows:
            facts = make(row, now)
            found[facts.object_id] = facts
    return found
