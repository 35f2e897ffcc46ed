"""Admin REST of domain validation, and of DNS writers."""

from __future__ import annotations

from collections.abc import Sequence

from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.principal import Principal
from hub.http.routing import RouteSet, StreamedResponse, delete, get, post, put
from hub.organizations.dcv.contract import DcvMethod, Writable
from hub.organizations.dcv.errors import ValidationNotFound
from hub.organizations.dcv.models import DcvValidation
from hub.organizations.dcv.records import StartRequest, ValidationDetail, ValidationRecord, WriterRecord
from hub.organizations.dcv.schemas import (
    AttemptView,
    ChallengeView,
    CheckResult,
    History,
    InstructionsView,
    MailView,
    MethodList,
    MethodView,
    OutlookQuery,
    OutlookView,
    RenewalBody,
    SightingView,
    StartBody,
    ValidationRow,
    ValidationView,
    VantageBody,
    WriterBody,
    WriterKindView,
    WriterList,
    WriterView,
)
from hub.organizations.dcv.service import DcvService
from hub.organizations.dcv.states import DcvState
from hub.organizations.dcv.visibility import sees_validation, visible_validations
from hub.organizations.dcv.writer_store import NewWriter
from hub.organizations.errors import OrganizationNotFound
from hub.organizations.models import Organization
from hub.organizations.visibility import require_department, require_reach

VIEW, EDIT, WRITERS_VIEW, WRITERS_EDIT = "dcv.view", "dcv.edit", "dcv.view_writers", "dcv.edit_writers"

VALIDATIONS = Listing(
    ValidationRow,
    (
        Column("id", DcvValidation.id, "ID", kind="int", nullable=False),
        Column("domain", DcvValidation.domain, "Domain", nullable=False, searchable=True),
        Column(
            "organization_id", DcvValidation.organization_id, "Organization ID", kind="int", nullable=False
        ),
        Column("organization_name", Organization.name, "Organization", nullable=False, searchable=True),
        Column(
            "state",
            DcvValidation.state,
            "State",
            kind="enum",
            nullable=False,
            choices=tuple(state.value for state in DcvState),
        ),
        Column("trust", DcvValidation.trust, "Trust", kind="enum", choices=("public", "private")),
        Column("method", DcvValidation.method, "Method", sortable=False),
        Column("validated_at", DcvValidation.validated_at, "Validated", kind="time"),
        Column("expires_at", DcvValidation.expires_at, "Expires", kind="time"),
        Column("action_at", DcvValidation.action_at, "Action required from", kind="time"),
        Column("next_revalidation_at", DcvValidation.next_revalidation_at, "Next automatic", kind="time"),
        Column("renewal_method", DcvValidation.renewal_method, "Renewed by", sortable=False),
    ),
    select_from=DcvValidation.__table__.join(Organization.__table__),
    id_column=DcvValidation.id,
    default_sort="domain",
    search_min_length=1,
)


class DcvRoutes(RouteSet):
    """``/dcv``: validations of all organizations that the caller reaches."""

    prefix, tag = "/dcv", "domain-validation"

    def __init__(self, dcv: DcvService) -> None:
        self._db = dcv.db
        self._dcv = dcv
        self._listing = ListEndpoint(
            dcv.db,
            VALIDATIONS,
            scope=lambda who: visible_validations(who, VIEW),
            filename="domain-validations.csv",
        )

    @get(
        "",
        action=VIEW,
        summary="List domain validations",
        query=ListQuery,
        returns=Page[ValidationRow],
        listing=VALIDATIONS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[ValidationRow] | StreamedResponse:
        """Return a page of validations."""
        return await self._listing(call)

    @get("/methods", action=VIEW, summary="List methods and kinds of DNS writers", returns=MethodList)
    async def methods(self, call: Call[None, None]) -> MethodList:
        """Return what is installed."""
        del call
        tools = self._dcv.tools
        return MethodList(
            methods=[_method_view(method) for _, method in sorted(tools.methods.items())],
            writer_kinds=[
                WriterKindView(
                    kind=name,
                    display_name=kind.display_name,
                    settings_schema=kind.settings_model.model_json_schema(),
                )
                for name, kind in sorted(tools.writers.items())
            ],
        )

    @post(
        "",
        action=EDIT,
        summary="Start to validate a domain, for the first time or again",
        body=StartBody,
        returns=ValidationView,
        status=201,
    )
    async def start(self, call: Call[StartBody, None]) -> ValidationView:
        """Begin an attempt and return what has to be done."""
        body = call.body
        place = (body.organization_id, body.department_id)
        require_department(call.principal, EDIT, place, absent=OrganizationNotFound)
        request = StartRequest(
            organization_id=body.organization_id,
            department_id=body.department_id,
            domain=body.domain,
            method=body.method,
            trust=body.trust,
            writer_id=body.writer_id,
            recipients=None if body.recipients is None else tuple(body.recipients),
        )
        return _view(await self._dcv.start(request, principal=call.principal))

    @get("/{id:int}", action=VIEW, summary="Read a domain validation", returns=ValidationView)
    async def read(self, call: Call[None, None]) -> ValidationView:
        """Return a validation with the attempt under way."""
        await self._reached(call.principal, VIEW, call.int_path("id"))
        return await self._view(call.int_path("id"))

    @post("/{id:int}/check", action=EDIT, summary="Look now", returns=CheckResult)
    async def check(self, call: Call[None, None]) -> CheckResult:
        """Do the next step of the attempt under way; a failure is the answer, not an error."""
        await self._reached(call.principal, EDIT, call.int_path("id"))
        finding = await self._dcv.check_now(call.int_path("id"))
        view = await self._view(call.int_path("id"))
        return CheckResult(
            proved=finding is None and view.challenge is None,
            reason="" if finding is None else finding.reason,
            message="" if finding is None else finding.message,
            validation=view,
        )

    @post("/{id:int}/cancel", action=EDIT, summary="End the attempt under way", returns=ValidationView)
    async def cancel(self, call: Call[None, None]) -> ValidationView:
        """End the attempt under way; what was validated before stays so."""
        await self._reached(call.principal, EDIT, call.int_path("id"))
        async with self._db.write() as uow:
            return _view(await self._dcv.cancel(uow, call.int_path("id"), principal=call.principal))

    @put(
        "/{id:int}/vantage-points",
        action=EDIT,
        summary="Choose the agents that look too",
        body=VantageBody,
        returns=ValidationView,
    )
    async def vantage_points(self, call: Call[VantageBody, None]) -> ValidationView:
        """Choose the agents that look too."""
        await self._reached(call.principal, EDIT, call.int_path("id"))
        async with self._db.write() as uow:
            await self._dcv.assign_vantage_points(
                uow, call.int_path("id"), call.body.agent_ids, principal=call.principal
            )
        return await self._view(call.int_path("id"))

    @put(
        "/{id:int}/renewal",
        action=EDIT,
        summary="Choose how the domain is validated again by itself",
        body=RenewalBody,
        returns=ValidationView,
    )
    async def renewal(self, call: Call[RenewalBody, None]) -> ValidationView:
        """Choose how the domain is validated again by itself."""
        await self._reached(call.principal, EDIT, call.int_path("id"))
        async with self._db.write() as uow:
            await self._dcv.set_renewal(
                uow,
                call.int_path("id"),
                method=call.body.method,
                writer_id=call.body.writer_id,
                principal=call.principal,
            )
        return await self._view(call.int_path("id"))

    @get("/{id:int}/history", action=VIEW, summary="List a domain's attempts", returns=History)
    async def history(self, call: Call[None, None]) -> History:
        """Return the last attempts with what was seen."""
        await self._reached(call.principal, VIEW, call.int_path("id"))
        async with self._db.read() as session:
            found = await self._dcv.history(session, call.int_path("id"))
        return History(
            items=[
                AttemptView(
                    challenge=ChallengeView.model_validate(challenge),
                    sightings=[SightingView.model_validate(item) for item in sightings],
                )
                for challenge, sightings in found
            ]
        )

    @get(
        "/{id:int}/outlook",
        action=VIEW,
        summary="Tell whether the domain will be validated at a time",
        query=OutlookQuery,
        returns=OutlookView,
    )
    async def outlook(self, call: Call[None, OutlookQuery]) -> OutlookView:
        """Tell what an issuance at a time would find, if nothing happens until then."""
        await self._reached(call.principal, VIEW, call.int_path("id"))
        at = call.query.at or self._db.clock()
        at = at if at.tzinfo is not None else at.astimezone()
        async with self._db.read() as session:
            found = await self._dcv.outlook(session, call.int_path("id"), at)
        return OutlookView.model_validate(found)

    async def _reached(self, principal: Principal, action: str, validation_id: int) -> ValidationRecord:
        async with self._db.read() as session:
            validation = await self._dcv.get(session, validation_id)
            if not await sees_validation(session, principal, VIEW, validation_id):
                raise ValidationNotFound
        require_reach(principal, action, validation.organization_id, absent=ValidationNotFound)
        return validation

    async def _view(self, validation_id: int) -> ValidationView:
        async with self._db.read() as session:
            return _view(await self._dcv.detail(session, validation_id))


class DnsWriterRoutes(RouteSet):
    """``/dcv/writers``: what publishes validation records by itself."""

    prefix, tag = "/dcv/writers", "dns-writers"

    def __init__(self, dcv: DcvService) -> None:
        self._db = dcv.db
        self._writers = dcv.writers

    @get("", action=WRITERS_VIEW, summary="List DNS writers", returns=WriterList)
    async def list(self, call: Call[None, None]) -> WriterList:
        """Return the writers that the caller's organizations may use; there are few, so in one piece."""
        async with self._db.read() as session:
            records = await self._writers.list(session)
        return WriterList(
            items=[WriterView.model_validate(record) for record in _usable(records, call.principal)]
        )

    @post(
        "",
        action=WRITERS_EDIT,
        summary="Configure a DNS writer",
        body=WriterBody,
        returns=WriterView,
        status=201,
    )
    async def create(self, call: Call[WriterBody, None]) -> WriterView:
        """Configure a DNS writer; its secrets are encrypted and never shown again."""
        async with self._db.write() as uow:
            record = await self._writers.create(
                uow, NewWriter(**call.body.model_dump()), principal=call.principal
            )
        return WriterView.model_validate(record)

    @delete("/{id:int}", action=WRITERS_EDIT, summary="Remove a DNS writer")
    async def remove(self, call: Call[None, None]) -> None:
        """Remove a DNS writer that no domain uses."""
        async with self._db.write() as uow:
            await self._writers.remove(uow, call.int_path("id"), principal=call.principal)


def _usable(records: Sequence[WriterRecord], principal: Principal) -> Sequence[WriterRecord]:
    if principal.sees_everything:
        return records
    return [record for record in records if record.organization_id in {None, *principal.organization_ids}]


def _method_view(method: DcvMethod) -> MethodView:
    facts = method.facts
    return MethodView(
        name=facts.name,
        display_name=facts.display_name,
        section=facts.section,
        covers_subdomains=facts.covers_subdomains,
        max_reuse_days=facts.max_reuse_days,
        ends_at=facts.ends_at,
        repeatable=facts.repeatable,
        takes_writer=isinstance(method, Writable) and not facts.repeatable,
    )


def _view(detail: ValidationDetail) -> ValidationView:
    validation = detail.validation
    row = ValidationRow.model_validate(validation)
    return ValidationView(
        **row.model_dump(),
        evidence=validation.evidence,
        vantage_agent_ids=validation.vantage_agent_ids,
        writer_id=validation.writer_id,
        challenge=ChallengeView.model_validate(detail.challenge) if detail.challenge else None,
        instructions=InstructionsView.model_validate(detail.instructions) if detail.instructions else None,
        mails=[MailView.model_validate(mail) for mail in detail.mails],
    )
