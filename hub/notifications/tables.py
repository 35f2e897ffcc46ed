"""Other rooms' tables as this room reads them: by name, and only the columns that it tells people about."""

from __future__ import annotations

from sqlalchemy import column, table

from hub.db.base import JsonDocument, UtcDateTime

_TIME = UtcDateTime()

ORGANIZATIONS = table(
    "organizations",
    column("id"),
    column("name"),
    column("validation"),
    column("validation_expires_at", _TIME),
)
DEPARTMENTS = table("departments", column("id"), column("name"), column("organization_id"))
PROFILES = table("profiles", column("id"), column("name"))
CERTIFICATES = table(
    "certificates",
    column("id"),
    column("type"),
    column("status"),
    column("status_reason"),
    column("status_message"),
    column("common_name"),
    column("dns_names", JsonDocument),
    column("ip_addresses", JsonDocument),
    column("organization_id"),
    column("department_id"),
    column("profile_id"),
    column("term_days"),
    column("order_number"),
    column("requester"),
    column("requester_id"),
    column("external_requester"),
    column("approver"),
    column("decision_message"),
    column("comments"),
    column("notifications_suspended"),
    column("passphrase_hash"),
    column("key_type"),
    column("fingerprint_sha256"),
    column("serial_hex"),
    column("issuer"),
    column("not_before", _TIME),
    column("not_after", _TIME),
    column("revocation_reason"),
    column("install_state"),
    column("renewal_state"),
    column("renewed_by_id"),
)
SCANS = table(
    "scans",
    column("id"),
    column("task_id"),
    column("agent_id"),
    column("organization_id"),
    column("department_id"),
    column("state"),
    column("reason"),
    column("message"),
    column("started_at", _TIME),
    column("finished_at", _TIME),
    column("requested_by"),
    column("targets_done"),
    column("endpoints_found"),
    column("certificates_found"),
    column("certificates_new"),
    column("rotations"),
    column("disappeared"),
)
TASKS = table("discovery_tasks", column("id"), column("name"))
AGENTS = table(
    "agents",
    column("id"),
    column("name"),
    column("kind"),
    column("status"),
    column("hostname"),
    column("version"),
    column("organization_id"),
    column("session_id"),
    column("last_seen_at", _TIME),
    column("certificate_not_after", _TIME),
)
VALIDATIONS = table(
    "dcv_validations",
    column("id"),
    column("organization_id"),
    column("domain"),
    column("state"),
    column("method"),
    column("validated_at", _TIME),
    column("expires_at", _TIME),
)
DOMAINS = table(
    "domains",
    column("id"),
    column("organization_id"),
    column("department_id"),
    column("name"),
    column("state"),
    column("requested_by"),
    column("decided_by"),
    column("decision_message"),
)
ADMINISTRATORS = table(
    "administrators",
    column("id"),
    column("username"),
    column("name"),
    column("email"),
    column("active"),
    column("created_by"),
    column("locale"),
)
GRANTS = table(
    "role_grants",
    column("administrator_id"),
    column("role"),
    column("organization_id"),
    column("department_id"),
    column("certificate_types", JsonDocument),
)
AUTHORITIES = table(
    "ca_authorities",
    column("id"),
    column("backend_id"),
    column("role"),
    column("slug"),
    column("not_after", _TIME),
    column("trial_until", _TIME),
    column("retired_at", _TIME),
)
IMPORTS = table(
    "certificate_imports",
    column("id"),
    column("filename"),
    column("organization_id"),
    column("department_id"),
    column("administrator_id"),
    column("administrator"),
    column("state"),
    column("message"),
    column("files_imported"),
    column("files_failed"),
)
BACKENDS = table("ca_backends", column("id"), column("name"))
