"""The key: have an agent make it, then take the signing request that it answers with.

The key stays where it is made, on the target or in the private key store; here comes only the CSR, which must
say what was asked for.
"""

from __future__ import annotations

from sqlalchemy import update

from hub.db.uow import Database, UnitOfWork
from hub.fleet.commands import CertificateGenerated, FinishedCommand, GenerateCertificate, SubjectFields
from hub.http.principal import SYSTEM
from hub.lifecycle import dispatch, step_queue
from hub.lifecycle.item_updates import update_items
from hub.lifecycle.models import Certificate
from hub.lifecycle.orders import OrderRow, read_order
from hub.lifecycle.ports import Rooms
from hub.lifecycle.requests import KeyLocation
from hub.lifecycle.states import CertificateEvent, CertificateStatus, ItemEvent
from hub.lifecycle.step_queue import NewStep, Step
from hub.lifecycle.transitions import Change, event_of, head_of, transition
from pki.csr_policy import CSR_CHECKS
from pki.csrs import ParsedCsr, parse_csr
from pki.errors import PkiError
from pki.findings import Finding, first_finding
from pki.names import is_ip_address

KIND = "GenerateCertificate"
# How the fleet ends a command whose agent did not come or answer before the deadline.
_NOT_IN_TIME = "Expired"
_WAITING = frozenset({CertificateStatus.REQUESTED, CertificateStatus.APPROVED})
_COMMAND_SUBJECT = ("organization", "organizational_unit", "locality", "state", "country")


class KeySteps:
    """Step ``generate_key`` and the outcome of the command that it sends."""

    def __init__(self, db: Database, rooms: Rooms) -> None:
        self._db = db
        self._rooms = rooms

    async def generate_key(self, step: Step) -> None:
        """Ask the agent for a key and a signing request."""
        async with self._db.write() as uow:
            await step_queue.finish_one(uow, step)
            row = await read_order(uow.session, step.certificate_id)
            if row is None or row.csr is not None or row.key_agent_id is None or row.status not in _WAITING:
                return
            if await dispatch.is_running(uow, row.id, kinds=(KIND,)):
                return
            body = _command(row)
            refused = await dispatch.send(
                uow, self._rooms.fleet, row=row, agent_id=row.key_agent_id, body=body
            )
            if refused is not None:
                await self._give_up(uow, row, refused)

    async def on_outcome(self, uow: UnitOfWork, finished: FinishedCommand) -> None:
        """Take the signing request, or give up with the agent's reason."""
        row = await dispatch.take_outcome(uow, finished)
        if row is None or row.csr is not None or row.status not in _WAITING or _is_stale(row, finished):
            return
        if isinstance(finished.result, CertificateGenerated):
            await self._take(uow, row, finished.result)
            return
        failure = finished.failure
        if failure is not None and failure.reason == _NOT_IN_TIME:
            await self._ask_again(uow, row, failure.message)
            return
        finding = (
            Finding(failure.reason, failure.message)
            if failure
            else Finding("NoSigningRequest", "the agent's answer holds no signing request")
        )
        await self._give_up(uow, row, finding)

    async def _ask_again(self, uow: UnitOfWork, row: OrderRow, message: str) -> None:
        # What was approved stays wanted while its agent is away; giving up would cost the approval.
        await uow.session.execute(
            update(Certificate)
            .where(Certificate.id == row.id)
            .values(status_reason="AgentOffline", status_message=message)
        )
        step = NewStep(
            certificate_id=row.id,
            name=step_queue.GENERATE_KEY,
            agent_id=row.key_agent_id or "",
            message=message,
        )
        await step_queue.schedule(uow, [step])

    async def _take(self, uow: UnitOfWork, row: OrderRow, generated: CertificateGenerated) -> None:
        try:
            csr = parse_csr(generated.csr)
        except PkiError as fault:
            await self._give_up(uow, row, Finding(type(fault).__name__, str(fault)))
            return
        finding = differs_from_request(row, csr) or await self._weakness(uow, row, csr)
        if finding is not None:
            await self._give_up(uow, row, finding)
            return
        await uow.session.execute(
            update(Certificate)
            .where(Certificate.id == row.id)
            .values(
                csr=csr.der,
                key_bits=csr.key_bits,
                spki_sha256=csr.spki_sha256,
                status_reason="",
                status_message="",
            )
        )
        if row.key_location == KeyLocation.TARGET:
            await update_items(uow, row.id, ItemEvent.SAVE_KEY, agent_id=row.key_agent_id or "")
        head = await head_of(uow.session, row.id)
        uow.emit(event_of(head, "CertificateKeyGenerated", status=head.status))
        if row.status == CertificateStatus.APPROVED:
            await step_queue.schedule(uow, [NewStep(certificate_id=row.id, name=step_queue.APPLY)])

    async def _weakness(self, uow: UnitOfWork, row: OrderRow, csr: ParsedCsr) -> Finding | None:
        # A broken random generator or a compromised key is met on a server as well as at a person's desk.
        profile = await self._rooms.profiles.get(uow.session, row.profile_id or 0)
        known = await self._rooms.profiles.key_knowledge(uow.session, [csr.spki_sha256])
        return first_finding(CSR_CHECKS, known.policy(csr, profile))

    async def _give_up(self, uow: UnitOfWork, row: OrderRow, finding: Finding) -> None:
        message = f"the key could not be generated: {finding.message}"
        values = {"status_reason": finding.reason, "status_message": message}
        details = {"reason": finding.reason, "message": message, "stage": "key"}
        change = Change(principal=SYSTEM, values=values, details=details)
        await transition(uow, row.id, CertificateEvent.FAIL, change)


def _command(row: OrderRow) -> GenerateCertificate:
    subject = {name: str(row.subject_fields.get(name, "")) for name in _COMMAND_SUBJECT}
    return GenerateCertificate(
        key_id=row.key_id,
        key_type=row.key_type,
        common_name=str(row.subject_fields.get("common_name", "")),
        dns_names=tuple(row.dns_names),
        ip_addresses=tuple(row.ip_addresses),
        subject=SubjectFields(**subject),
        reuse_key=row.reuse_key,
    )


def _is_stale(row: OrderRow, finished: FinishedCommand) -> bool:
    """Whether the request was edited since, so that another command's answer is waited for."""
    body, wanted = finished.body, _command(row)
    return isinstance(body, GenerateCertificate) and (
        body.key_id != wanted.key_id
        or body.key_type != wanted.key_type
        or set(body.dns_names) != set(wanted.dns_names)
        or set(body.ip_addresses) != set(wanted.ip_addresses)
    )


def differs_from_request(row: OrderRow, csr: ParsedCsr) -> Finding | None:
    """Return what is wrong with an agent's signing request: another key, or other names."""
    if row.key_type and csr.key_type != row.key_type:
        return Finding("CsrOfOtherKeyType", f"{row.key_type} was asked for, the key is {csr.key_type}")
    if row.reuse_key and row.spki_sha256 and csr.spki_sha256 != row.spki_sha256:
        return Finding("CsrOfOtherKey", "the same key pair was asked for, the agent used another")
    wanted = {*row.dns_names, *row.ip_addresses}
    if {*csr.dns_names, *csr.ip_addresses} != wanted:
        return Finding("CsrOfOtherNames", f"asked for {sorted(wanted)}, the signing request differs")
    common_name = csr.common_name.lower()
    if common_name and common_name not in wanted and not is_ip_address(common_name):
        return Finding("CsrOfOtherNames", f"the common name {common_name!r} was not asked for")
    return None
