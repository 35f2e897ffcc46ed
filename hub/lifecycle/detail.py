"""Reading everything about one certificate, for its page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, column, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.outbox import OutboxEvent
from hub.http.listing import Listing
from hub.http.principal import Principal
from hub.lifecycle.deleting import DELETABLE
from hub.lifecycle.delivery import LIVE
from hub.lifecycle.detail_schemas import (
    AgreementView,
    ApprovalView,
    CertificateDetail,
    ChainEntry,
    CommandView,
    EventView,
    ItemView,
    LocationView,
    NoteView,
    StepView,
)
from hub.lifecycle.editing import EDITABLE
from hub.lifecycle.errors import CertificateNotFound
from hub.lifecycle.listing import AGENTS, CERTIFICATES
from hub.lifecycle.models import (
    Certificate,
    CertificateApproval,
    CertificateBody,
    CertificateCommand,
    CertificateLocation,
    CertificateNote,
    InstallItem,
    LifecycleStep,
)
from hub.lifecycle.replacing import REPLACEABLE
from hub.lifecycle.requests import Method
from hub.lifecycle.schemas import CertificateRow
from hub.lifecycle.scoping import certificate_scope
from hub.lifecycle.states import (
    CERTIFICATE,
    INSTALL,
    CertificateEvent,
    CertificateStatus,
    InstallEvent,
    InstallState,
    ItemStatus,
)
from hub.lifecycle.transitions import OBJECT_TYPE
from pki.certificates import parse_certificate
from pki.encodings import certificates_pem, csr_pem
from pki.errors import PkiError

PROFILE_RULES = table("profiles", column("id"), column("approvals"))
_BUTTONS = {
    CertificateEvent.APPROVE: "approve",
    CertificateEvent.DECLINE: "decline",
    CertificateEvent.REVOKE: "revoke",
    CertificateEvent.ASSIGN: "assign",
}
_RENEWABLE = frozenset(CertificateStatus) - {
    CertificateStatus.REQUESTED,
    CertificateStatus.APPROVED,
    CertificateStatus.APPLIED,
}
_MAX_EVENTS = 200
_MAX_TRAIL = 500


async def read_detail(
    session: AsyncSession,
    principal: Principal,
    certificate_id: int,
    *,
    now: datetime,
    listing: Listing[CertificateRow] = CERTIFICATES,
) -> CertificateDetail:
    """Return one certificate with its chain, places, installation, commands and history.

    ``listing`` has the columns of custom fields too, if there are any.

    Raises:
        CertificateNotFound: there is none of this id in the caller's scope.
    """
    condition = certificate_scope(principal)
    conditions = [Certificate.id == certificate_id]
    if condition is not None:
        conditions.append(condition)
    listed = (await session.execute(listing.statement(conditions))).mappings().one_or_none()
    row = await session.get(Certificate, certificate_id)
    if listed is None or row is None:
        raise CertificateNotFound(f"there is no certificate {certificate_id}")
    bodies = await _bodies(session, row.chain)
    items = await _items(session, certificate_id)
    return CertificateDetail(
        **listing.to_row(listed).model_dump(),
        status_reason=row.status_reason,
        decision_message=row.decision_message,
        revocation_reason=row.revocation_reason,
        dns_names=row.dns_names,
        ip_addresses=row.ip_addresses,
        subject_fields=row.subject_fields,
        csr=csr_pem(row.csr).decode() if row.csr else None,
        certificate=certificates_pem(bodies[:1]).decode() if bodies else None,
        key_id=row.key_id,
        installation=row.installation,
        auto_renew=row.auto_renew,
        renews_id=row.renews_id,
        renewed_by_id=row.renewed_by_id,
        expires_in_days=(row.not_after - now).days if row.not_after else None,
        actions=[*_actions(row, has_items=bool(items)), *key_and_install_actions(row, items)],
        chain_of_trust=_chain(bodies),
        items=items,
        locations=await _locations(session, certificate_id),
        commands=await _commands(session, certificate_id),
        notes=await _notes(session, certificate_id),
        steps=await _steps(session, certificate_id),
        events=await read_events(session, certificate_id),
        requester_id=row.requester_id,
        approvals=await _approvals(session, certificate_id),
        approvals_needed=await _approvals_needed(session, row),
        agreement=AgreementView.model_validate(row.agreement) if row.agreement else None,
        passphrase_set=bool(row.passphrase_hash),
        install_schedule=row.install_schedule,
        renewal_due_at=row.renewal_due_at,
        replaces=row.replaces,
    )


def _actions(row: Certificate, *, has_items: bool) -> list[str]:
    status = CertificateStatus(row.status)
    actions = [button for event, button in _BUTTONS.items() if (status, event) in CERTIFICATE]
    may_start = (InstallState(row.install_state), InstallEvent.START) in INSTALL
    if status in LIVE and ((has_items and may_start) or (not has_items and row.key_agent_id)):
        actions.append("install")
    if status in _RENEWABLE:
        actions.append("renew")
    if row.fingerprint_sha256:
        actions.append("download")
    if status in EDITABLE:
        actions.append("edit")
    if status in REPLACEABLE and row.method != Method.AUTO_INSTALL:
        actions.append("replace")
    if status in DELETABLE:
        actions.append("delete")
    actions += ["move", "annotate"]
    return actions


def key_and_install_actions(row: Certificate, items: list[ItemView]) -> list[str]:
    """Return the further buttons of a certificate's installation and key."""
    status = CertificateStatus(row.status)
    actions = []
    if any(item.status == ItemStatus.CERTIFICATE_DEPLOYED for item in items):
        actions.append("restart")
    if items and (status in LIVE or status not in _RENEWABLE):
        actions.append("set_install_schedule")
    if row.key_agent_id and (status in LIVE or status not in _RENEWABLE):
        actions.append("add_install_items")
    if row.key_location == "pks" and row.key_agent_id:
        actions += ["download_key", "delete_key"] if row.fingerprint_sha256 else ["delete_key"]
    elif row.fingerprint_sha256 and not row.key_agent_id:
        actions.append("upload_key")
    return actions


async def _bodies(session: AsyncSession, chain: list[str]) -> list[bytes]:
    rows = await session.execute(
        select(CertificateBody.sha256, CertificateBody.der).where(CertificateBody.sha256.in_(chain))
    )
    found = dict(rows.all())
    return [found[sha256] for sha256 in chain if sha256 in found]


def _chain(bodies: list[bytes]) -> list[ChainEntry]:
    entries = []
    for position, der in enumerate(bodies):
        try:
            facts = parse_certificate(der)
        except PkiError:
            # Servers send what they like; the rest of the chain is still worth showing.
            continue
        root = facts.self_signed
        entries.append(
            ChainEntry(
                kind="end entity" if position == 0 else "root" if root else "intermediate",
                subject=facts.subject,
                issuer=facts.issuer,
                serial_number=facts.serial,
                sha256=facts.sha256,
                not_before=facts.not_before,
                not_after=facts.not_after,
                key_type=facts.key_type,
                signature_algorithm=facts.signature_algorithm,
            )
        )
    return entries


def _columns(model: Any, view: type[Any], *without: str) -> list[Any]:
    return [getattr(model, name) for name in view.model_fields if name not in without]


async def _with_agent(
    session: AsyncSession, model: Any, view: type[Any], *, certificate_id: int, order: Any
) -> list[RowMapping]:
    rows = await session.execute(
        select(*_columns(model, view, "agent"), AGENTS.c.name.label("agent"))
        .select_from(model)
        .outerjoin(AGENTS, AGENTS.c.id == model.agent_id)
        .where(model.certificate_id == certificate_id)
        .order_by(order)
        .limit(_MAX_TRAIL)
    )
    return list(rows.mappings())


async def _items(session: AsyncSession, certificate_id: int) -> list[ItemView]:
    rows = await _with_agent(
        session, InstallItem, ItemView, certificate_id=certificate_id, order=InstallItem.id
    )
    return [ItemView.model_validate(dict(row)) for row in rows]


async def _locations(session: AsyncSession, certificate_id: int) -> list[LocationView]:
    rows = await _with_agent(
        session,
        CertificateLocation,
        LocationView,
        certificate_id=certificate_id,
        order=CertificateLocation.last_seen.desc(),
    )
    return [LocationView.model_validate(dict(row)) for row in rows]


async def _commands(session: AsyncSession, certificate_id: int) -> list[CommandView]:
    rows = await _with_agent(
        session,
        CertificateCommand,
        CommandView,
        certificate_id=certificate_id,
        order=CertificateCommand.created_at,
    )
    return [CommandView.model_validate(dict(row)) for row in rows]


async def _approvals(session: AsyncSession, certificate_id: int) -> list[ApprovalView]:
    rows = await session.execute(
        select(*_columns(CertificateApproval, ApprovalView))
        .where(CertificateApproval.certificate_id == certificate_id)
        .order_by(CertificateApproval.id)
    )
    return [ApprovalView.model_validate(dict(row)) for row in rows.mappings()]


async def _approvals_needed(session: AsyncSession, row: Certificate) -> int:
    needed = select(PROFILE_RULES.c.approvals).where(PROFILE_RULES.c.id == row.profile_id)
    return (await session.scalar(needed)) or 1


async def _notes(session: AsyncSession, certificate_id: int) -> list[NoteView]:
    rows = await session.execute(
        select(*_columns(CertificateNote, NoteView))
        .where(CertificateNote.certificate_id == certificate_id)
        .order_by(CertificateNote.id.desc())
        .limit(_MAX_TRAIL)
    )
    return [NoteView.model_validate(dict(row)) for row in rows.mappings()]


async def _steps(session: AsyncSession, certificate_id: int) -> list[StepView]:
    rows = await session.execute(
        select(*_columns(LifecycleStep, StepView))
        .where(LifecycleStep.certificate_id == certificate_id)
        .order_by(LifecycleStep.due_at)
    )
    return [StepView.model_validate(dict(row)) for row in rows.mappings()]


async def read_events(session: AsyncSession, certificate_id: int) -> list[EventView]:
    """Return what happened to a certificate, the latest first."""
    rows = await session.execute(
        select(*_columns(OutboxEvent, EventView))
        .where(OutboxEvent.object_type == OBJECT_TYPE, OutboxEvent.object_id == str(certificate_id))
        .order_by(OutboxEvent.id.desc())
        .limit(_MAX_EVENTS)
    )
    return [EventView.model_validate(dict(row)) for row in rows.mappings()]
