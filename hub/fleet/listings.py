"""Lists of agents, commands and enrollment tokens: what they show, sort and filter by."""

from __future__ import annotations

from functools import partial

from sqlalchemy import RowMapping

from hub.db.clock import utc_now
from hub.fleet.commands import RESULT_OF
from hub.fleet.models import Agent, EnrollmentToken, FleetCommand
from hub.fleet.schemas import AgentRow, CommandRow, TokenRow
from hub.fleet.states import DISPLAY_NAMES, CommandState
from hub.fleet.wire import KINDS
from hub.http.listing import Column, Listing

AGENTS = Listing(
    AgentRow,
    (
        Column("id", Agent.id, "ID", nullable=False, searchable=True),
        Column("name", Agent.name, "Name", nullable=False, searchable=True),
        Column("kind", Agent.kind, "Kind", kind="enum", nullable=False, choices=KINDS),
        Column("organization_id", Agent.organization_id, "Organization ID", kind="int"),
        Column("status", Agent.status, "Status", kind="enum", nullable=False, choices=("active", "removed")),
        Column(
            "connected",
            Agent.session_id.is_not(None),
            "Connected",
            kind="bool",
            nullable=False,
            sortable=False,
        ),
        Column("version", Agent.version, "Version", nullable=False),
        Column("hostname", Agent.hostname, "Host name", nullable=False, searchable=True),
        Column("platform", Agent.platform, "Platform", nullable=False),
        Column("last_seen_at", Agent.last_seen_at, "Last seen", kind="time"),
        Column("connected_at", Agent.connected_at, "Connected since", kind="time"),
        Column("enrolled_at", Agent.enrolled_at, "Enrolled", kind="time", nullable=False),
        Column(
            "certificate_not_after",
            Agent.certificate_not_after,
            "Identity valid until",
            kind="time",
            nullable=False,
        ),
    ),
    select_from=Agent,
    id_column=Agent.id,
    default_sort="name",
    search_min_length=1,
)


def _command_row(mapping: RowMapping) -> CommandRow:
    values = {name: value for name, value in mapping.items() if name != "_id"}
    return CommandRow(**values, state_name=DISPLAY_NAMES[CommandState(mapping["state"])])


_unsorted = partial(Column, nullable=False, sortable=False)

COMMANDS = Listing(
    CommandRow,
    (
        _unsorted("id", FleetCommand.id, "ID"),
        _unsorted("agent_id", FleetCommand.agent_id, "Agent ID"),
        _unsorted("agent_name", Agent.name, "Agent", searchable=True),
        _unsorted("kind", FleetCommand.kind, "Command", kind="enum", choices=tuple(sorted(RESULT_OF))),
        _unsorted(
            "state",
            FleetCommand.state,
            "State",
            kind="enum",
            choices=tuple(state.value for state in CommandState),
        ),
        _unsorted("subject_type", FleetCommand.subject_type, "Subject's kind"),
        _unsorted("subject_id", FleetCommand.subject_id, "Subject's ID"),
        Column(
            "organization_id", FleetCommand.organization_id, "Organization ID", kind="int", sortable=False
        ),
        _unsorted("requested_by", FleetCommand.requested_by, "Requested by", searchable=True),
        Column("created_at", FleetCommand.created_at, "Created", kind="time", nullable=False),
        Column("finished_at", FleetCommand.finished_at, "Finished", kind="time", sortable=False),
        _unsorted("deadline", FleetCommand.deadline, "Deadline", kind="time"),
        _unsorted("attempt", FleetCommand.attempt, "Attempt", kind="int"),
        _unsorted("progress_share", FleetCommand.progress_share, "Progress", filterable=False),
        _unsorted("progress_message", FleetCommand.progress_message, "Progress message"),
        _unsorted("failure_reason", FleetCommand.failure_reason, "Failure", searchable=True),
    ),
    select_from=FleetCommand.__table__.join(Agent.__table__),
    id_column=FleetCommand.id,
    default_sort="-created_at",
    make_row=_command_row,
)


def _token_row(mapping: RowMapping) -> TokenRow:
    values = {name: value for name, value in mapping.items() if name != "_id"}
    if mapping["revoked_at"] is not None:
        status = "revoked"
    elif mapping["used_at"] is not None:
        status = "used"
    else:
        status = "expired" if mapping["expires_at"] <= utc_now() else "open"
    return TokenRow.model_validate({**values, "status": status})


TOKENS = Listing(
    TokenRow,
    (
        Column("id", EnrollmentToken.id, "ID", nullable=False),
        Column("kinds", EnrollmentToken.kinds, "Kinds", sortable=False, filterable=False),
        Column("organization_id", EnrollmentToken.organization_id, "Organization ID", kind="int"),
        Column("created_by", EnrollmentToken.created_by, "Created by", nullable=False, searchable=True),
        Column("created_at", EnrollmentToken.created_at, "Created", kind="time", nullable=False),
        Column("expires_at", EnrollmentToken.expires_at, "Expires", kind="time", nullable=False),
        Column("used_at", EnrollmentToken.used_at, "Used", kind="time"),
        Column("used_by", EnrollmentToken.used_by, "Used by"),
        Column("revoked_at", EnrollmentToken.revoked_at, "Withdrawn", kind="time"),
    ),
    select_from=EnrollmentToken,
    id_column=EnrollmentToken.id,
    default_sort="-created_at",
    search_min_length=1,
    make_row=_token_row,
)
