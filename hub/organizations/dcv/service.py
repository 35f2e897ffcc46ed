"""Domain control validation: the only way in for other rooms and for the routes.

A validation is an asset of an organization with its own clock (:mod:`.clock`); attempts to renew it are
worked on by :mod:`.rounds`. The lifecycle asks :func:`names_not_validated` before it orders a certificate of
public trust.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.general_settings import read_general
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import SYSTEM, Principal
from hub.organizations.dcv.assets import (
    CHALLENGE_COLUMNS,
    end_challenge,
    find_validation,
    move,
    note,
    open_challenge,
    proof_time,
    read_validation,
    renewal_after_failure,
)
from hub.organizations.dcv.clock import Outlook, ProofTime, Trust, deadlines, outlook
from hub.organizations.dcv.contract import DcvMethod, Mailed, Writable, look
from hub.organizations.dcv.errors import (
    CheckRunning,
    DomainNotDelegated,
    MailNotConfigured,
    NoOpenChallenge,
    RecipientNotAllowed,
    RenewalNotPossible,
    VantageUnusable,
)
from hub.organizations.dcv.mails import Mails
from hub.organizations.dcv.models import DcvChallenge, DcvSighting, DcvValidation
from hub.organizations.dcv.records import (
    ChallengeRecord,
    DcvTools,
    ProofRecord,
    SightingRecord,
    StartRequest,
    ValidationDetail,
    ValidationRecord,
)
from hub.organizations.dcv.registry import method_named
from hub.organizations.dcv.rounds import Rounds
from hub.organizations.dcv.standing import names_not_validated, outlook_of, validation_of
from hub.organizations.dcv.states import ChallengeState, DcvEvent, DcvState, Delivery
from hub.organizations.dcv.worker import CHANNEL, DcvWorker
from hub.organizations.dcv.writer_store import WriterOpener, WriterStore
from hub.organizations.domain_patterns import normalize_domain
from hub.organizations.errors import InvalidDomain
from hub.organizations.service import OrganizationService
from pki.findings import Finding

__all__ = [
    "DcvService",
    "Outlook",
    "ProofRecord",
    "StartRequest",
    "ValidationRecord",
    "names_not_validated",
    "outlook_of",
    "validation_of",
]

VALUE_LIFETIME = timedelta(days=30)
MAX_VANTAGE_POINTS = 12
_HISTORY = 50
_FIRST_LOOK = timedelta(seconds=20)


class DcvService:
    """Starts validations, looks after them, and tells where they are."""

    def __init__(self, db: Database, organizations: OrganizationService, tools: DcvTools) -> None:
        self.db = db
        self.tools = tools
        self.writers = WriterStore(tools.writers, tools.kek)
        self.opener = WriterOpener(db, self.writers)
        self.mails = Mails(db, tools)
        self.rounds = Rounds(db, tools, self.writers, self.mails)
        self._organizations = organizations

    def worker(self) -> DcvWorker:
        """Return what does the steps that are due; run one in each hub."""
        return DcvWorker(self.db, self.rounds, self.restart)

    # ---- reading

    async def get(self, session: AsyncSession, validation_id: int) -> ValidationRecord:
        """Return a validation; raise ValidationNotFound."""
        return await read_validation(session, validation_id)

    async def detail(self, session: AsyncSession, validation_id: int) -> ValidationDetail:
        """Return a validation with its open attempt and what has to be done; raise ValidationNotFound."""
        validation = await read_validation(session, validation_id)
        challenge = await open_challenge(session, validation_id)
        if challenge is None or challenge.method not in self.tools.methods:
            return ValidationDetail(validation=validation, challenge=challenge, instructions=None)
        method = self.tools.methods[challenge.method]
        instructions = method.instructions(challenge.challenge(validation.domain, self.tools.options.issuer))
        return ValidationDetail(
            validation=validation,
            challenge=challenge,
            instructions=instructions,
            mails=await self.mails.list(session, challenge.id),
        )

    async def history(
        self, session: AsyncSession, validation_id: int
    ) -> Sequence[tuple[ChallengeRecord, Sequence[SightingRecord]]]:
        """Return the last attempts, newest first, with what was seen in the last round of each."""
        rows = await session.execute(
            select(*CHALLENGE_COLUMNS)
            .where(DcvChallenge.validation_id == validation_id)
            .order_by(DcvChallenge.id.desc())
            .limit(_HISTORY)
        )
        challenges = [ChallengeRecord(**row._asdict()) for row in rows]
        columns = [getattr(DcvSighting, name) for name in SightingRecord.__dataclass_fields__]
        sightings = await session.execute(
            select(*columns)
            .join(DcvChallenge, DcvChallenge.id == DcvSighting.challenge_id)
            .where(
                DcvSighting.challenge_id.in_([item.id for item in challenges]),
                DcvSighting.round == DcvChallenge.round,
            )
            .order_by(DcvSighting.id)
        )
        found = [SightingRecord(**row._asdict()) for row in sightings]
        return [(item, [seen for seen in found if seen.challenge_id == item.id]) for item in challenges]

    async def outlook(self, session: AsyncSession, validation_id: int, at: datetime) -> Outlook:
        """Tell whether the domain will be validated at a time, if nothing happens until then."""
        validation = await read_validation(session, validation_id)
        if validation.trust == "public":
            return await outlook_of(session, validation.domain, at=at, now=self.db.clock())
        time = self._time_of(validation)
        return outlook(() if time is None else (time,), at, trust="private")

    # ---- beginning and ending attempts

    async def start(self, request: StartRequest, *, principal: Principal) -> ValidationDetail:
        """Begin to validate a domain, for the first time or again; an attempt under way is replaced.

        Raises:
            InvalidDomain, DomainIsPublicSuffix, MethodUnknown, RecipientNotAllowed: what was asked for.
            DomainNotDelegated: the organization may not have certificates for the domain.
            MailNotConfigured, WriterNotFound, RenewalNotPossible: the method can't be used here.
        """
        method = method_named(self.tools.methods, request.method)
        domain = _domain(request.domain)
        recipients = await self._recipients(method, domain, request.recipients)
        async with self.db.write() as uow:
            await self._require_delegation(uow.session, request, domain)
            if request.writer_id is not None:
                await self._require_writable(uow.session, method, request.writer_id, request.organization_id)
            validation = await self._asset(uow, request, domain, principal)
            challenge_id = await self._begin(
                uow, validation, method, writer_id=request.writer_id, principal=principal
            )
            if recipients:
                await self.mails.address(uow, challenge_id, recipients)
            return await self.detail(uow.session, validation.id)

    async def restart(self, uow: UnitOfWork, validation: ValidationRecord) -> None:
        """Begin the renewal that needs no person."""
        method = method_named(self.tools.methods, validation.renewal_method or "")
        await self._begin(
            uow, validation, method, writer_id=validation.writer_id, principal=SYSTEM, automatic=True
        )

    async def cancel(self, uow: UnitOfWork, validation_id: int, *, principal: Principal) -> ValidationDetail:
        """End the attempt under way; what was validated before stays so. Raises NoOpenChallenge."""
        validation = await read_validation(uow.session, validation_id)
        challenge = await open_challenge(uow.session, validation_id)
        if challenge is None or not await end_challenge(uow, challenge, ChallengeState.CANCELLED):
            raise NoOpenChallenge
        await move(
            uow,
            validation,
            DcvEvent.CANCEL,
            principal=principal,
            values=renewal_after_failure(validation, uow.now),
            details={"method": challenge.method},
        )
        uow.notify(CHANNEL)
        return await self.detail(uow.session, validation_id)

    async def check_now(self, validation_id: int) -> Finding | None:
        """Do the next step of the attempt under way; None: control is shown (or the mails are sent).

        Raises:
            NoOpenChallenge: there is none.
            CheckRunning: another one is at it.
        """
        async with self.db.read() as session:
            challenge = await open_challenge(session, validation_id)
        if challenge is None:
            raise NoOpenChallenge
        held = await self.rounds.hold(challenge.id, due_only=False)
        if held is None:
            raise CheckRunning
        return await self.rounds.step(held)

    # ---- settings of a validation

    async def assign_vantage_points(
        self, uow: UnitOfWork, validation_id: int, agent_ids: Sequence[str], *, principal: Principal
    ) -> ValidationRecord:
        """Say from which agents else a domain is looked at; raise VantageUnusable naming the agent."""
        validation = await read_validation(uow.session, validation_id)
        wanted = list(dict.fromkeys(agent_ids))
        if len(wanted) > MAX_VANTAGE_POINTS:
            raise VantageUnusable(f"at most {MAX_VANTAGE_POINTS} vantage points", field="agent_ids")
        for agent_id in wanted:
            found = await self.tools.vantage.describe(
                uow.session, agent_id, organization_id=validation.organization_id
            )
            if found.problem is not None:
                raise VantageUnusable(found.problem.message, field="agent_ids")
        await uow.session.execute(
            update(DcvValidation).where(DcvValidation.id == validation_id).values(vantage_agent_ids=wanted)
        )
        details = {"before": validation.vantage_agent_ids, "after": wanted}
        await note(uow, "DomainVantagePointsChanged", validation, principal=principal, details=details)
        return await read_validation(uow.session, validation_id)

    async def set_renewal(
        self,
        uow: UnitOfWork,
        validation_id: int,
        *,
        method: str | None,
        writer_id: int | None,
        principal: Principal,
    ) -> ValidationRecord:
        """Say how a domain is validated again without a person; ``method`` None: not at all.

        Raises:
            RenewalNotPossible: the method needs a person, or a DNS writer.
            WriterNotFound, MethodUnknown: there is none.
        """
        validation = await read_validation(uow.session, validation_id)
        if method is not None:
            found = method_named(self.tools.methods, method)
            if writer_id is not None:
                await self._require_writable(uow.session, found, writer_id, validation.organization_id)
            elif not found.facts.repeatable:
                raise RenewalNotPossible(
                    f"{found.facts.display_name} can be repeated through a DNS writer only", field="writer_id"
                )
        values = {
            "renewal_method": method,
            "writer_id": writer_id if method is not None else None,
            "next_revalidation_at": await self._revalidate_at(uow, validation)
            if method is not None
            else None,
        }
        await uow.session.execute(
            update(DcvValidation).where(DcvValidation.id == validation_id).values(values)
        )
        details = {"method": method, "writer_id": values["writer_id"]}
        await note(uow, "DomainRenewalChanged", validation, principal=principal, details=details)
        uow.notify(CHANNEL)
        return await read_validation(uow.session, validation_id)

    # ---- parts

    async def _revalidate_at(self, uow: UnitOfWork, validation: ValidationRecord) -> datetime | None:
        time = self._time_of(validation)
        if time is None:
            return None
        lead_days = (await read_general(uow.session)).domain_expiry_days
        return deadlines(time, validation.trust, lead_days=lead_days).revalidate_at

    def _time_of(self, validation: ValidationRecord) -> ProofTime | None:
        method = self.tools.methods.get(validation.method or "")
        if validation.validated_at is None or method is None:
            return None
        return proof_time(method.facts, validation.validated_at)

    async def _recipients(
        self, method: DcvMethod, domain: str, wanted: tuple[str, ...] | None
    ) -> tuple[str, ...]:
        if not isinstance(method, Mailed):
            if wanted:
                raise RecipientNotAllowed("only e-mail has recipients", field="recipients")
            return ()
        if self.tools.mailer is None:
            raise MailNotConfigured
        contacts = await look(method.contact_lookup(domain), self.tools.probes)
        allowed = {each.lower(): each for each in method.recipients(domain, contacts)}
        if wanted is None:
            return tuple(allowed.values())
        foreign = [each for each in wanted if each.strip().lower() not in allowed]
        if foreign or not wanted:
            raise RecipientNotAllowed(
                f"{(foreign or ['nobody'])[0]!r} does not prove control of {domain}; allowed are"
                f" {', '.join(allowed)}",
                field="recipients",
            )
        return tuple(dict.fromkeys(allowed[each.strip().lower()] for each in wanted))

    async def _require_delegation(self, session: AsyncSession, request: StartRequest, domain: str) -> None:
        await self._organizations.get(session, request.organization_id)
        for name in (domain, f"*.{domain}"):
            findings = await self._organizations.check_names(
                session, request.organization_id, [name], department_id=request.department_id
            )
            if not findings:
                return
        raise DomainNotDelegated(
            f"{domain} is not delegated to the organization: have it delegated and approved first",
            field="domain",
        )

    async def _require_writable(
        self, session: AsyncSession, method: DcvMethod, writer_id: int, organization_id: int
    ) -> None:
        await self.writers.get(session, writer_id, organization_id=organization_id)
        if not isinstance(method, Writable) or method.facts.repeatable:
            raise RenewalNotPossible(f"{method.facts.display_name} takes no DNS writer", field="writer_id")

    async def _asset(
        self, uow: UnitOfWork, request: StartRequest, domain: str, principal: Principal
    ) -> ValidationRecord:
        found = await find_validation(uow.session, request.organization_id, domain)
        if found is None:
            await uow.session.execute(
                insert(DcvValidation).values(
                    organization_id=request.organization_id,
                    domain=domain,
                    trust=request.trust,
                    state=DcvState.NOT_STARTED.value,
                    evidence={},
                    vantage_agent_ids=[],
                    created_at=uow.now,
                    created_by=principal.name,
                )
            )
            found = await find_validation(uow.session, request.organization_id, domain)
            if found is None:
                raise RuntimeError("a row that was just inserted is not there")
        elif found.trust != request.trust:
            await self._change_trust(uow, found, request.trust)
        return found

    async def _change_trust(self, uow: UnitOfWork, validation: ValidationRecord, trust: Trust) -> None:
        values: dict[str, Any] = {"trust": trust}
        time = self._time_of(validation)
        if time is not None:
            lead_days = (await read_general(uow.session)).domain_expiry_days
            dates = deadlines(time, trust, lead_days=lead_days)
            values |= {"expires_at": dates.expires_at, "action_at": dates.action_at}
        await uow.session.execute(
            update(DcvValidation).where(DcvValidation.id == validation.id).values(values)
        )

    async def _begin(
        self,
        uow: UnitOfWork,
        validation: ValidationRecord,
        method: DcvMethod,
        *,
        writer_id: int | None,
        principal: Principal,
        automatic: bool = False,
    ) -> int:
        earlier = await open_challenge(uow.session, validation.id)
        if earlier is not None:
            await end_challenge(uow, earlier, ChallengeState.SUPERSEDED)
        organization = await self._organizations.get(uow.session, validation.organization_id)
        wanted = writer_id is not None or isinstance(method, Mailed)
        # A person's record is not there yet; there is no need to look before they could have read this.
        first = timedelta(0) if wanted or automatic else _FIRST_LOOK
        challenge_id: int = (
            await uow.session.execute(
                insert(DcvChallenge)
                .values(
                    validation_id=validation.id,
                    method=method.facts.name,
                    state=ChallengeState.OPEN.value,
                    delivery=(Delivery.WANTED if wanted else Delivery.NONE).value,
                    label=secrets.token_hex(16),
                    value=secrets.token_urlsafe(32),
                    # RFC 7565, as the Baseline Requirements (4.2.2.1.2) recommend: records in zones outlive
                    # the hub's address.
                    account_uri=f"acct:{organization.public_id}@{self.tools.options.issuer}",
                    writer_id=writer_id,
                    automatic=automatic,
                    started_at=uow.now,
                    started_by=principal.name,
                    expires_at=uow.now + VALUE_LIFETIME,
                    next_check_at=uow.now + first,
                    evidence={},
                )
                .returning(DcvChallenge.id)
            )
        ).scalar_one()
        details = {"method": method.facts.name, "automatic": automatic}
        await move(uow, validation, DcvEvent.START, principal=principal, details=details)
        uow.notify(CHANNEL)
        return challenge_id


def _domain(text: str) -> str:
    domain = normalize_domain(text)
    if domain == "*":
        raise InvalidDomain("'*' stands for every name: validate domains one by one", field="domain")
    return domain.removeprefix("*.")
