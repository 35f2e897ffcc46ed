"""The list of certificates: every column of the SSL page, search in all names, CSV."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, column, table

from hub.http.listing import Column, Listing
from hub.lifecycle.models import Certificate
from hub.lifecycle.schemas import CertificateRow
from hub.lifecycle.searching.names import NAMES, search, search_number
from hub.lifecycle.states import CertificateStatus, InstallState, RenewalState

# Names of other rooms' rows: read by their tables' names, as rooms don't import one another's models.
ORGANIZATIONS = table("organizations", column("id"), column("name"))
DEPARTMENTS = table("departments", column("id"), column("name"))
PROFILES = table("profiles", column("id"), column("name"), column("sub_type"))
AGENTS = table("agents", column("id"), column("name"))

FROM: Any = (
    Certificate.__table__.outerjoin(ORGANIZATIONS, ORGANIZATIONS.c.id == Certificate.organization_id)
    .outerjoin(DEPARTMENTS, DEPARTMENTS.c.id == Certificate.department_id)
    .outerjoin(PROFILES, PROFILES.c.id == Certificate.profile_id)
    .outerjoin(AGENTS, AGENTS.c.id == Certificate.key_agent_id)
)


def _values(enum: type[CertificateStatus | InstallState | RenewalState]) -> tuple[str, ...]:
    return tuple(item.value for item in enum)


def _plain(name: str, expression: Any, header: str, **options: Any) -> Column:
    return Column(name, expression, header, sortable=False, **options)


_ORGANIZATION = (Certificate.organization_id, ORGANIZATIONS.c.id)
_DEPARTMENT = (Certificate.department_id, DEPARTMENTS.c.id)
_PROFILE = (Certificate.profile_id, PROFILES.c.id)

COLUMNS = (
    Column("id", Certificate.id, "ID", kind="int", nullable=False),
    Column("common_name", Certificate.common_name, "Common Name", nullable=False),
    _plain(
        "status",
        Certificate.status,
        "Status",
        kind="enum",
        nullable=False,
        choices=_values(CertificateStatus),
    ),
    _plain("type", Certificate.type, "Type", nullable=False),
    _plain("status_message", Certificate.status_message, "Status Message"),
    _plain("comments", Certificate.comments, "Comments"),
    _plain("order_number", Certificate.order_number, "Order Number"),
    _plain("profile_id", Certificate.profile_id, "Profile ID", kind="int"),
    _plain("profile", PROFILES.c.name, "Certificate Profile", refers=_PROFILE),
    _plain("sub_type", PROFILES.c.sub_type, "Sub Type", refers=_PROFILE),
    _plain("term_days", Certificate.term_days, "Term", kind="int"),
    _plain(
        "method",
        Certificate.method,
        "Enrollment Method",
        kind="enum",
        choices=("csr", "pks", "auto_install", ""),
    ),
    _plain("requester", Certificate.requester, "Requester"),
    _plain("requested_via", Certificate.requested_via, "Requested Via"),
    _plain("approver", Certificate.approver, "Approver"),
    _plain("external_requester", Certificate.external_requester, "External Requester"),
    _plain("subject", Certificate.subject, "Subject"),
    _plain("locality", Certificate.subject_fields["locality"].as_string(), "City"),
    _plain("state", Certificate.subject_fields["state"].as_string(), "State"),
    _plain("country", Certificate.subject_fields["country"].as_string(), "Country"),
    _plain("subject_alternative_names", Certificate.search_names, "Subject Alt Name"),
    _plain("issuer", Certificate.issuer, "Issuer"),
    _plain("authority", Certificate.authority, "CA", nullable=False),
    _plain("not_before", Certificate.not_before, "Valid From", kind="time"),
    Column("expires", Certificate.not_after, "Expires", kind="time"),
    Column("serial_number", Certificate.serial_hex, "Serial Number", nullable=False),
    _plain("key_usage", Certificate.key_usage, "Key Usage", filterable=False),
    _plain("extended_key_usage", Certificate.extended_key_usage, "Extended Key Usage", filterable=False),
    _plain("key_type", Certificate.key_type, "Key Algorithm"),
    _plain("key_bits", Certificate.key_bits, "Key Size", kind="int"),
    _plain("signature_algorithm", Certificate.signature_algorithm, "Signature Algorithm"),
    _plain("md5", Certificate.fingerprint_md5, "MD5 Hash"),
    _plain("sha1", Certificate.fingerprint_sha1, "SHA1 Hash"),
    _plain("sha256", Certificate.fingerprint_sha256, "SHA256 Hash"),
    _plain("self_signed", Certificate.self_signed, "Self-signed", kind="bool"),
    _plain("organization_id", Certificate.organization_id, "Organization ID", kind="int"),
    _plain("organization", ORGANIZATIONS.c.name, "Organization", refers=_ORGANIZATION),
    _plain("department_id", Certificate.department_id, "Department ID", kind="int"),
    _plain("department", DEPARTMENTS.c.name, "Department", refers=_DEPARTMENT),
    Column("requested", Certificate.requested_at, "Requested", kind="time"),
    _plain("approved", Certificate.approved_at, "Approved", kind="time"),
    _plain("declined", Certificate.declined_at, "Declined", kind="time"),
    _plain("applied", Certificate.applied_at, "Applied", kind="time"),
    Column("issued", Certificate.issued_at, "Issued", kind="time"),
    _plain("downloaded", Certificate.downloaded_at, "Downloaded", kind="time"),
    _plain("discovered", Certificate.discovered_at, "Discovered", kind="time"),
    _plain("revoked", Certificate.revoked_at, "Revoked", kind="time"),
    _plain("replaced", Certificate.replaced_at, "Replaced", kind="time"),
    _plain(
        "private_key",
        Certificate.key_location,
        "Private Key",
        kind="enum",
        choices=("pks", "target", ""),
    ),
    _plain("private_key_agent", AGENTS.c.name, "Private Key Agent"),
    _plain(
        "install_state",
        Certificate.install_state,
        "Install State",
        kind="enum",
        choices=_values(InstallState),
    ),
    _plain(
        "renewal_state",
        Certificate.renewal_state,
        "Renewal State",
        kind="enum",
        choices=_values(RenewalState),
    ),
    Column("renewal_due", Certificate.renewal_due_at, "Renewal Due", kind="time"),
    _plain(
        "notifications_suspended",
        Certificate.notifications_suspended,
        "Notifications Suspended",
        kind="bool",
        nullable=False,
    ),
)


def make_row(mapping: RowMapping) -> CertificateRow:
    """Return the schema object of a row."""
    values = dict(mapping)
    values["subject_alternative_names"] = str(values["subject_alternative_names"]).split()
    custom = {name: values.pop(name) for name in list(values) if name.startswith("custom.")}
    values["custom"] = {
        name.removeprefix("custom."): value for name, value in custom.items() if value is not None
    }
    return CertificateRow.model_validate(values)


CERTIFICATES = Listing(
    CertificateRow,
    COLUMNS,
    select_from=FROM,
    id_column=Certificate.id,
    default_sort="-id",
    search=search,
    index=NAMES,
    short_search=search_number,
    make_row=make_row,
)
