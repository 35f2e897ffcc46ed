"""Lists of planning: freezes, windows, quotas, outage budgets and upcoming renewals."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, column, table

from hub.http.listing import Column, Listing
from hub.lifecycle.models import Certificate
from hub.lifecycle.states import RenewalState
from hub.renewals.planning.budget import SERVED
from hub.renewals.planning.models import CaQuota, MaintenanceWindow, RenewalFreeze
from hub.renewals.planning.schemas import clock
from hub.renewals.planning.views import BudgetRow, FreezeRow, QuotaRow, UpcomingRow, WindowRow

_ORGANIZATIONS = table("organizations", column("id"), column("name"))
_DEPARTMENTS = table("departments", column("id"), column("name"))
_PROFILES = table("profiles", column("id"), column("name"))
_AGENTS = table("agents", column("id"), column("name"))
_BACKENDS = table("ca_backends", column("id"), column("name"))


def _plain(name: str, expression: Any, header: str, **options: Any) -> Column:
    return Column(name, expression, header, sortable=False, **options)


def _with_names(model: type[RenewalFreeze | MaintenanceWindow]) -> Any:
    rows: Any = model.__table__
    return (
        rows.outerjoin(_ORGANIZATIONS, _ORGANIZATIONS.c.id == rows.c.organization_id)
        .outerjoin(_DEPARTMENTS, _DEPARTMENTS.c.id == rows.c.department_id)
        .outerjoin(_PROFILES, _PROFILES.c.id == rows.c.profile_id)
        .outerjoin(_AGENTS, _AGENTS.c.id == rows.c.agent_id)
    )


def _scope(model: type[RenewalFreeze | MaintenanceWindow]) -> tuple[Column, ...]:
    return (
        Column("id", model.id, "ID", kind="int", nullable=False),
        Column("name", model.name, "Name", nullable=False, searchable=True),
        _plain("organization_id", model.organization_id, "Organization ID", kind="int"),
        _plain("organization", _ORGANIZATIONS.c.name, "Organization", searchable=True),
        _plain("department", _DEPARTMENTS.c.name, "Department"),
        _plain("profile", _PROFILES.c.name, "Certificate Profile"),
        _plain("agent", _AGENTS.c.name, "Agent"),
        _plain("server_pattern", model.server_pattern, "Servers", searchable=True),
    )


def _tail(model: type[RenewalFreeze | MaintenanceWindow]) -> tuple[Column, ...]:
    return (
        _plain("time_zone", model.time_zone, "Time Zone"),
        _plain("comment", model.comment, "Comment", searchable=True),
        _plain("created_by", model.created_by, "Created By"),
        _plain("created", model.created_at, "Created", kind="time"),
    )


FREEZES = Listing(
    FreezeRow,
    (
        *_scope(RenewalFreeze),
        _plain("starts", RenewalFreeze.starts, "Starts (local)"),
        _plain("ends", RenewalFreeze.ends, "Ends (local)"),
        Column("starts_at", RenewalFreeze.starts_at, "Starts", kind="time", nullable=False),
        Column("ends_at", RenewalFreeze.ends_at, "Ends", kind="time", nullable=False),
        _plain("repeats_yearly", RenewalFreeze.repeats_yearly, "Every Year", kind="bool"),
        *_tail(RenewalFreeze),
    ),
    select_from=_with_names(RenewalFreeze),
    id_column=RenewalFreeze.id,
    default_sort="-starts_at",
    search_min_length=1,
)


def _window_row(mapping: RowMapping) -> WindowRow:
    times = {name: clock(mapping[name]) for name in ("opens", "closes")}
    return WindowRow.model_validate({**mapping, **times})


WINDOWS = Listing(
    WindowRow,
    (
        *_scope(MaintenanceWindow),
        _plain("weekdays", MaintenanceWindow.weekdays, "Weekdays", filterable=False),
        _plain("opens", MaintenanceWindow.opens, "Opens (minutes)", kind="int", filterable=False),
        _plain("closes", MaintenanceWindow.closes, "Closes (minutes)", kind="int", filterable=False),
        *_tail(MaintenanceWindow),
    ),
    select_from=_with_names(MaintenanceWindow),
    id_column=MaintenanceWindow.id,
    default_sort="name",
    search_min_length=1,
    make_row=_window_row,
)

QUOTAS = Listing(
    QuotaRow,
    (
        Column("id", CaQuota.id, "ID", kind="int", nullable=False),
        Column("backend_id", CaQuota.backend_id, "CA ID", kind="int", nullable=False),
        _plain("backend", _BACKENDS.c.name, "CA", searchable=True),
        _plain("period", CaQuota.period, "Period", kind="enum", choices=("hour", "day", "week")),
        _plain("limit", CaQuota.limit, "Certificates", kind="int"),
        _plain("cost_cents", CaQuota.cost_cents, "Cost (hundredths)", kind="int"),
        _plain("currency", CaQuota.currency, "Currency"),
        _plain("note", CaQuota.note, "Note", searchable=True),
        _plain("created_by", CaQuota.created_by, "Created By"),
        _plain("created", CaQuota.created_at, "Created", kind="time"),
    ),
    select_from=CaQuota.__table__.outerjoin(_BACKENDS, _BACKENDS.c.id == CaQuota.backend_id),
    id_column=CaQuota.id,
    default_sort="backend_id",
    search_min_length=1,
)

_RENEWAL_STATES = tuple(state.value for state in RenewalState)

BUDGETS = Listing(
    BudgetRow,
    (
        _plain("id", Certificate.id, "Certificate ID", kind="int", nullable=False),
        _plain("common_name", Certificate.common_name, "Common Name", nullable=False),
        _plain("organization_id", Certificate.organization_id, "Organization ID", kind="int"),
        _plain("organization", _ORGANIZATIONS.c.name, "Organization"),
        _plain("department_id", Certificate.department_id, "Department ID", kind="int"),
        _plain("status", Certificate.status, "Status", nullable=False),
        _plain(
            "renewal_state", Certificate.renewal_state, "Renewal State", kind="enum", choices=_RENEWAL_STATES
        ),
        # In service is only what has an end.
        Column("outage_at", Certificate.not_after, "Outage At", kind="time", nullable=False),
    ),
    select_from=SERVED.outerjoin(_ORGANIZATIONS, _ORGANIZATIONS.c.id == Certificate.organization_id),
    id_column=Certificate.id,
    default_sort="outage_at",
    search=lambda text: Certificate.search_names.contains(text.lower(), autoescape=True),
)

UPCOMING = Listing(
    UpcomingRow,
    (
        _plain("id", Certificate.id, "Certificate ID", kind="int", nullable=False),
        _plain("common_name", Certificate.common_name, "Common Name", nullable=False),
        _plain("organization_id", Certificate.organization_id, "Organization ID", kind="int"),
        _plain("organization", _ORGANIZATIONS.c.name, "Organization"),
        _plain("profile", _PROFILES.c.name, "Certificate Profile"),
        _plain("agent", _AGENTS.c.name, "Agent"),
        _plain("status", Certificate.status, "Status", nullable=False),
        _plain(
            "renewal_state", Certificate.renewal_state, "Renewal State", kind="enum", choices=_RENEWAL_STATES
        ),
        Column("due", Certificate.renewal_due_at, "Due", kind="time"),
        Column("expires", Certificate.not_after, "Expires", kind="time"),
        _plain("attempts", Certificate.renewal_attempts, "Attempts", kind="int"),
        _plain("successor_id", Certificate.renewed_by_id, "Successor ID", kind="int"),
    ),
    select_from=Certificate.__table__.outerjoin(
        _ORGANIZATIONS, _ORGANIZATIONS.c.id == Certificate.organization_id
    )
    .outerjoin(_PROFILES, _PROFILES.c.id == Certificate.profile_id)
    .outerjoin(_AGENTS, _AGENTS.c.id == Certificate.key_agent_id),
    id_column=Certificate.id,
    default_sort="due",
    search=lambda text: Certificate.search_names.contains(text.lower(), autoescape=True),
)
