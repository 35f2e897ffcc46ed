"""The lists of discovery: tasks, a task's scans, a scan's finds, and all endpoints."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, case, column, table

from hub.db.base import UtcDateTime
from hub.discovery.models import DiscoveredEndpoint, DiscoveryTask, Scan, ScanFind
from hub.discovery.schemas import EndpointRow, FindRow, ScanRow, TaskRow
from hub.discovery.states import NOT_SCANNED, ScanState
from hub.http.listing import Column, Listing

# Other rooms' rows, read by their tables' names: rooms don't import one another's models.
_AGENTS = table("agents", column("id"), column("name"))
_ORGANIZATIONS = table("organizations", column("id"), column("name"))
_CERTIFICATES = table(
    "certificates",
    column("id"),
    column("status"),
    column("common_name"),
    column("not_before", UtcDateTime()),
    column("not_after", UtcDateTime()),
    column("key_type"),
    column("key_bits"),
    column("signature_algorithm"),
    column("subject"),
    column("search_names"),
    column("issuer"),
    column("serial_hex"),
)
_CERT = _CERTIFICATES.c

INVENTORY = case(
    (_CERT.status.is_(None), ""),
    (_CERT.status == "Unmanaged", "External"),
    (_CERT.status == "External", "Assigned"),
    else_="Managed",
)
"""Issued here, found and given to an organization, or found and nobody's."""

_STATES = tuple(state.value for state in ScanState)


def _plain(name: str, expression: Any, header: str, **options: Any) -> Column:
    return Column(name, expression, header, sortable=False, **options)


TASKS = Listing(
    TaskRow,
    (
        Column("id", DiscoveryTask.id, "ID", kind="int", nullable=False),
        Column("name", DiscoveryTask.name, "Name", nullable=False, searchable=True),
        _plain("agent_id", DiscoveryTask.agent_id, "Agent ID"),
        _plain("agent", _AGENTS.c.name, "Agent", searchable=True),
        _plain("organization_id", DiscoveryTask.organization_id, "Organization ID", kind="int"),
        _plain("organization", _ORGANIZATIONS.c.name, "Organization"),
        _plain("ranges", DiscoveryTask.ranges, "Ranges to Scan", filterable=False),
        _plain("status", DiscoveryTask.status, "Status", kind="enum", choices=(NOT_SCANNED, *_STATES)),
        _plain("schedule", DiscoveryTask.schedule, "Schedule"),
        _plain("last_scan_id", DiscoveryTask.last_scan_id, "Last Scan ID", kind="int"),
        Column("last_scanned", DiscoveryTask.last_scanned_at, "Last Scanned", kind="time"),
        _plain("progress", Scan.progress, "Progress", filterable=False),
        _plain("certificates_found", Scan.certificates_found, "Certificates Found", kind="int"),
        _plain("created", DiscoveryTask.created_at, "Created", kind="time"),
    ),
    select_from=DiscoveryTask.__table__.outerjoin(_AGENTS, _AGENTS.c.id == DiscoveryTask.agent_id)
    .outerjoin(_ORGANIZATIONS, _ORGANIZATIONS.c.id == DiscoveryTask.organization_id)
    .outerjoin(Scan.__table__, Scan.id == DiscoveryTask.last_scan_id),
    id_column=DiscoveryTask.id,
    default_sort="-id",
    search_min_length=1,
)

SCANS = Listing(
    ScanRow,
    (
        Column("id", Scan.id, "ID", kind="int", nullable=False),
        _plain("task_id", Scan.task_id, "Task ID", kind="int"),
        _plain("state", Scan.state, "Status", kind="enum", choices=_STATES),
        _plain("started", Scan.started_at, "Date", kind="time"),
        _plain("finished", Scan.finished_at, "Finished", kind="time"),
        _plain("progress", Scan.progress, "Progress", filterable=False),
        _plain("certificates_found", Scan.certificates_found, "SSL Certificates Found", kind="int"),
        _plain("certificates_new", Scan.certificates_new, "New Certificates", kind="int"),
        _plain("endpoints_found", Scan.endpoints_found, "Endpoints Found", kind="int"),
        _plain("rotations", Scan.rotations, "Rotations", kind="int"),
        _plain("disappeared", Scan.disappeared, "Disappeared", kind="int"),
        _plain("reason", Scan.reason, "Reason"),
        _plain("message", Scan.message, "Message"),
        _plain("requested_by", Scan.requested_by, "Requested By"),
    ),
    select_from=Scan,
    id_column=Scan.id,
    default_sort="-id",
)


def _make_find(mapping: RowMapping) -> FindRow:
    values = dict(mapping)
    values["subject_alternative_names"] = str(values["subject_alternative_names"] or "").split()
    return FindRow.model_validate(values)


FINDS = Listing(
    FindRow,
    (
        Column("endpoint_id", ScanFind.endpoint_id, "Endpoint ID", kind="int", nullable=False),
        _plain("address", DiscoveredEndpoint.address, "IP Address"),
        _plain("port", DiscoveredEndpoint.port, "Port", kind="int"),
        _plain("server_name", DiscoveredEndpoint.server_name, "Server Name"),
        _plain("hostname", DiscoveredEndpoint.hostname, "Host Name"),
        _plain("common_name", _CERT.common_name, "Common Name"),
        _plain("valid_to", _CERT.not_after, "Valid to", kind="time"),
        _plain("valid_from", _CERT.not_before, "Valid from", kind="time"),
        _plain("key_algorithm", _CERT.key_type, "Key Algorithm"),
        _plain("key_size", _CERT.key_bits, "Key Size", kind="int"),
        _plain("signature_algorithm", _CERT.signature_algorithm, "Signature Algorithm"),
        _plain("inventory", INVENTORY, "Inventory"),
        _plain("found", ScanFind.seen_at, "Found date", kind="time"),
        _plain("status", ScanFind.status, "Status"),
        _plain("reason", ScanFind.reason, "Reason"),
        _plain("protocol", ScanFind.protocol, "Protocol"),
        _plain("certificate_id", ScanFind.certificate_id, "Certificate ID", kind="int"),
        _plain("subject", _CERT.subject, "Subject"),
        _plain("subject_alternative_names", _CERT.search_names, "Subject Alt Name", searchable=True),
        _plain("issuer", _CERT.issuer, "Issuer"),
        _plain("serial_number", _CERT.serial_hex, "Serial Number"),
        _plain("sha256", ScanFind.fingerprint_sha256, "SHA256 Hash"),
        _plain("new", ScanFind.is_new, "New", kind="bool"),
    ),
    select_from=ScanFind.__table__.join(
        DiscoveredEndpoint.__table__, DiscoveredEndpoint.id == ScanFind.endpoint_id
    ).outerjoin(_CERTIFICATES, _CERT.id == ScanFind.certificate_id),
    id_column=ScanFind.endpoint_id,
    default_sort="endpoint_id",
    make_row=_make_find,
)

ENDPOINTS = Listing(
    EndpointRow,
    (
        Column("id", DiscoveredEndpoint.id, "ID", kind="int", nullable=False),
        _plain("agent_id", DiscoveredEndpoint.agent_id, "Agent ID"),
        _plain("agent", _AGENTS.c.name, "Agent"),
        _plain("organization_id", DiscoveredEndpoint.organization_id, "Organization ID", kind="int"),
        _plain("organization", _ORGANIZATIONS.c.name, "Organization"),
        _plain("address", DiscoveredEndpoint.address, "IP Address", searchable=True),
        _plain("port", DiscoveredEndpoint.port, "Port", kind="int"),
        _plain("server_name", DiscoveredEndpoint.server_name, "Server Name", searchable=True),
        _plain("hostname", DiscoveredEndpoint.hostname, "Host Name", searchable=True),
        _plain("status", DiscoveredEndpoint.status, "Status"),
        _plain("reason", DiscoveredEndpoint.reason, "Reason"),
        _plain("protocol", DiscoveredEndpoint.protocol, "Protocol"),
        _plain("partial", DiscoveredEndpoint.partial, "Key Not Proven", kind="bool"),
        _plain("certificate_id", DiscoveredEndpoint.certificate_id, "Certificate ID", kind="int"),
        _plain("common_name", _CERT.common_name, "Common Name"),
        _plain("valid_to", _CERT.not_after, "Valid to", kind="time"),
        _plain("key_algorithm", _CERT.key_type, "Key Algorithm"),
        _plain("sha256", DiscoveredEndpoint.fingerprint_sha256, "SHA256 Hash"),
        _plain("inventory", INVENTORY, "Inventory"),
        _plain("first_seen", DiscoveredEndpoint.first_seen, "First Seen", kind="time"),
        Column("last_seen", DiscoveredEndpoint.last_seen, "Last Seen", kind="time", nullable=False),
        _plain("changed", DiscoveredEndpoint.changed_at, "Certificate Since", kind="time"),
        _plain("present", DiscoveredEndpoint.present, "Present", kind="bool"),
    ),
    select_from=DiscoveredEndpoint.__table__.outerjoin(_AGENTS, _AGENTS.c.id == DiscoveredEndpoint.agent_id)
    .outerjoin(_ORGANIZATIONS, _ORGANIZATIONS.c.id == DiscoveredEndpoint.organization_id)
    .outerjoin(_CERTIFICATES, _CERT.id == DiscoveredEndpoint.certificate_id),
    id_column=DiscoveredEndpoint.id,
    default_sort="-id",
)
