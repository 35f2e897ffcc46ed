"""The lists of notifications: rules, channels, what was sent, and one's own notices."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from hub.http.listing import Column, Listing
from hub.notifications.catalog import TYPES
from hub.notifications.models import Notification, NotificationChannel, NotificationRule
from hub.notifications.schemas import ChannelRow, NoticeRow, NotificationRow, RuleRow
from hub.notifications.states import DeliveryState
from hub.notifications.tables import ADMINISTRATORS, DEPARTMENTS, ORGANIZATIONS

_R, _C, _N = NotificationRule, NotificationChannel, Notification
_TYPES = tuple(sorted(TYPES))


def _plain(name: str, expression: Any, header: str, **options: Any) -> Column:
    return Column(name, expression, header, sortable=False, **options)


def _document(name: str, expression: Any, header: str) -> Column:
    return Column(name, expression, header, sortable=False, filterable=False)


RULES = Listing(
    RuleRow,
    (
        Column("id", _R.id, "ID", kind="int", nullable=False),
        Column("name", _R.name, "Name", nullable=False, searchable=True),
        Column("type", _R.type, "Notification Type", kind="enum", nullable=False, choices=_TYPES),
        _plain("enabled", _R.enabled, "Active", kind="bool"),
        _plain("organization_id", _R.organization_id, "Organization ID", kind="int"),
        _plain("organization_name", ORGANIZATIONS.c.name, "Organization", searchable=True),
        _plain("department_id", _R.department_id, "Department ID", kind="int"),
        _plain("department_name", DEPARTMENTS.c.name, "Department"),
        _document("certificate_types", _R.certificate_types, "Certificate Types"),
        _document("profile_ids", _R.profile_ids, "Profiles"),
        _document("days", _R.days, "Days"),
        _plain("minutes", _R.minutes, "Minutes", kind="int"),
        _document("recipients", _R.recipients, "Recipients"),
        _plain("email", _R.email, "E-mail", kind="bool"),
        _plain("console", _R.console, "Console", kind="bool"),
        _document("channel_ids", _R.channel_ids, "Channels"),
        _document("digest", _R.digest, "Digest"),
        _plain("created_at", _R.created_at, "Created", kind="time"),
        _plain("created_by", _R.created_by, "Created By"),
        _plain("changed_at", _R.changed_at, "Modified", kind="time"),
        _plain("changed_by", _R.changed_by, "Modified By"),
    ),
    select_from=_R.__table__.outerjoin(ORGANIZATIONS, ORGANIZATIONS.c.id == _R.organization_id).outerjoin(
        DEPARTMENTS, DEPARTMENTS.c.id == _R.department_id
    ),
    id_column=_R.id,
    default_sort="name",
    search_min_length=1,
)

CHANNELS = Listing(
    ChannelRow,
    (
        Column("id", _C.id, "ID", kind="int", nullable=False),
        Column("name", _C.name, "Name", nullable=False, searchable=True),
        _plain("kind", _C.kind, "Kind"),
        _plain("organization_id", _C.organization_id, "Organization ID", kind="int"),
        _plain("organization_name", ORGANIZATIONS.c.name, "Organization", searchable=True),
        _plain("department_id", _C.department_id, "Department ID", kind="int"),
        _plain("enabled", _C.enabled, "Active", kind="bool"),
        _document("settings", _C.settings, "Settings"),
        _plain("problem", _C.problem, "Problem"),
        _plain("created_at", _C.created_at, "Created", kind="time"),
        _plain("created_by", _C.created_by, "Created By"),
        _plain("changed_at", _C.changed_at, "Modified", kind="time"),
    ),
    select_from=_C.__table__.outerjoin(ORGANIZATIONS, ORGANIZATIONS.c.id == _C.organization_id),
    id_column=_C.id,
    default_sort="name",
    search_min_length=1,
)

NOTIFICATIONS = Listing(
    NotificationRow,
    (
        Column("id", _N.id, "ID", kind="int", nullable=False),
        _plain("created_at", _N.created_at, "Created", kind="time"),
        _plain("type", _N.type, "Type", kind="enum", choices=_TYPES),
        _plain("subject", _N.subject, "Subject", searchable=True),
        _plain("state", _N.state, "Status", kind="enum", choices=tuple(each.value for each in DeliveryState)),
        _plain("channel_kind", _N.channel_kind, "Channel"),
        _plain("channel_id", _N.channel_id, "Channel ID", kind="int"),
        _plain("recipient", _N.recipient, "Recipient", searchable=True),
        _plain("administrator", ADMINISTRATORS.c.username, "Administrator"),
        _plain("organization_id", _N.organization_id, "Organization ID", kind="int"),
        _plain("organization_name", ORGANIZATIONS.c.name, "Organization"),
        _plain("department_id", _N.department_id, "Department ID", kind="int"),
        _plain("object_type", _N.object_type, "Object Type"),
        _plain("object_id", _N.object_id, "Object ID"),
        _plain("certificate_id", _N.certificate_id, "Certificate ID", kind="int"),
        _plain("attempts", _N.attempts, "Attempts", kind="int"),
        _plain("edition", _N.edition, "Edition", kind="int"),
        _plain("due_at", _N.due_at, "Due", kind="time"),
        _plain("sent_at", _N.sent_at, "Sent", kind="time"),
        _plain("reason", _N.reason, "Reason"),
        _plain("message", _N.message, "Message"),
    ),
    select_from=_N.__table__.outerjoin(ORGANIZATIONS, ORGANIZATIONS.c.id == _N.organization_id).outerjoin(
        ADMINISTRATORS, ADMINISTRATORS.c.id == _N.administrator_id
    ),
    id_column=_N.id,
    default_sort="-id",
)


def _make_notice(mapping: RowMapping) -> NoticeRow:
    kind = TYPES.get(mapping["type"])
    return NoticeRow(
        id=mapping["id"],
        created_at=mapping["created_at"],
        type=mapping["type"],
        title=kind.title if kind is not None else mapping["type"],
        severity=kind.severity if kind is not None else "info",
        subject=mapping["subject"],
        body=mapping["body"],
        path=str(mapping["path"].get("path", "")),
        read_at=mapping["read_at"],
    )


NOTICES = Listing(
    NoticeRow,
    (
        Column("id", _N.id, "ID", kind="int", nullable=False),
        _plain("created_at", _N.created_at, "Created", kind="time"),
        _plain("type", _N.type, "Type", kind="enum", choices=_TYPES),
        _plain("subject", _N.subject, "Subject", searchable=True),
        _plain("body", _N.body, "Text"),
        _document("path", _N.data, "Object"),
        _plain("read_at", _N.read_at, "Read", kind="time"),
    ),
    select_from=_N,
    id_column=_N.id,
    default_sort="-id",
    search_min_length=1,
    make_row=_make_notice,
)
