"""The rows that an accepted request begins with."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from hub.http.principal import Principal
from hub.lifecycle.facts import name_columns
from hub.lifecycle.install_schedule import schedule_document
from hub.lifecycle.models import Certificate
from hub.lifecycle.orders import OrderRow
from hub.lifecycle.policy import PolicyInput
from hub.lifecycle.requesters import administrator_id
from hub.lifecycle.requests import Installation, Method, auto_renew_document
from hub.lifecycle.states import CertificateStatus, InstallState, RenewalState
from hub.organizations.service import OrganizationRecord, searchable_text, stored_values
from hub.profiles.service import ProfileRecord, compose_subject
from pki.names import is_ip_address


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A request that passed the policy, with what it is decided by."""

    given: PolicyInput
    profile: ProfileRecord
    organization: OrganizationRecord
    principal: Principal
    order_id: str

    @property
    def auto_approved(self) -> bool:
        """Whether the request needs nobody's decision."""
        if not self.profile.auto_approve or self.profile.approvals > 1:
            return False
        # An applicant's request always waits for a person; one that only prolongs what a person has approved
        # before goes as far as the profile lets it.
        return self.given.request.unchanged or not self.given.request.by_applicant

    @property
    def requester(self) -> tuple[str, int | None]:
        """Who asks, and their administrator id; what hub or passphrase holder renew keeps its requester."""
        request = self.given.request
        if self.principal.kind in {"system", "applicant"} and request.kept_requester:
            return request.kept_requester, request.kept_requester_id
        return self.principal.name, administrator_id(self.principal)

    @cached_property
    def subject(self) -> dict[str, str]:
        """The subject to certify: the organization's values fill and win, as the profile says."""
        return compose_subject(
            self.profile,
            self.organization,
            {"common_name": self.given.common_name},
            department=self.given.department,
        )

    @cached_property
    def custom_fields(self) -> dict[str, str | int | float]:
        """The values of custom fields as they are stored."""
        request = self.given.request
        return stored_values(self.given.custom_fields, request.custom_fields, request.kept_custom_fields)


def new_order_id() -> str:
    """Return an id that an order keeps, whatever happens to it."""
    return uuid.uuid4().hex


def certificate_columns(accepted: Accepted) -> dict[str, Any]:
    """Return the columns of a new request, as yet neither approved nor applied."""
    request, given = accepted.given.request, accepted.given
    csr = given.csr
    ip_addresses = [name for name in given.names if is_ip_address(name)]
    dns_names = [name for name in given.names if name not in ip_addresses]
    # An installation that is not to be triggered by hand starts by itself once there is a certificate.
    scheduled = request.method is Method.AUTO_INSTALL and request.installation is not Installation.TRIGGERED
    requester, requester_id = accepted.requester
    return {
        "type": "ssl",
        "status": CertificateStatus.REQUESTED.value,
        **name_columns(given.common_name, dns_names, ip_addresses),
        "organization_id": request.organization_id,
        "department_id": request.department_id,
        "profile_id": accepted.profile.id,
        "backend_id": accepted.profile.backend_id,
        "term_days": request.term_days,
        "method": request.method.value,
        "subject_fields": accepted.subject,
        "order_id": accepted.order_id,
        "csr": csr.der if csr else None,
        "requester": requester,
        "requester_id": requester_id,
        "requested_via": request.requested_via,
        "external_requester": request.external_requester,
        "comments": request.comments,
        "agreement": None,
        "passphrase_hash": request.passphrase_hash,
        "custom_fields": accepted.custom_fields,
        "search_custom": searchable_text(accepted.custom_fields),
        "key_type": csr.key_type if csr else request.key_type,
        "key_bits": csr.key_bits if csr else 0,
        "key_location": request.held_at,
        "key_agent_id": request.key_agent_id,
        "key_id": "" if request.method is Method.CSR else (request.key_id or accepted.order_id),
        "spki_sha256": csr.spki_sha256 if csr else request.spki_sha256,
        "reuse_key": request.reuse_key,
        "renews_id": request.renews_id,
        "replaces": request.replaces,
        "installation": request.installation.value if request.method is Method.AUTO_INSTALL else "",
        "install_schedule": schedule_document(request.install_schedule),
        "install_state": (InstallState.SCHEDULED if scheduled else InstallState.NOT_SCHEDULED).value,
        "renewal_state": (
            RenewalState.SCHEDULED if renews_itself(accepted) else RenewalState.NOT_SCHEDULED
        ).value,
        "auto_renew": auto_renew_document(request.auto_renew),
        # What may be decided at once; every row of a bulk insert names the same columns.
        "approver": "",
        "approved_at": None,
        "applied_at": None,
        "intent": None,
        "serial_hex": "",
        "chain": [],
        "key_usage": [],
        "extended_key_usage": [],
    }


def renews_itself(accepted: Accepted) -> bool:
    """Whether the certificate will renew itself: as the request says, or else its profile."""
    auto_renew = accepted.given.request.auto_renew
    return accepted.profile.renewal.enabled if auto_renew is None else auto_renew.enabled


def order_row(columns: dict[str, Any], certificate_id: int) -> OrderRow:
    """Return a new row as issuance would read it."""
    known: dict[str, Any] = {name: columns.get(name) for name in OrderRow.__slots__}
    known["id"] = certificate_id
    known["fingerprint_sha256"] = None
    return OrderRow(**known)


def item_columns(accepted: Accepted, certificate_id: int, now: datetime) -> list[dict[str, Any]]:
    """Return the rows of the nodes to install on."""
    return [
        {
            "certificate_id": certificate_id,
            "agent_id": target.agent_id,
            "server": target.server,
            "node_id": target.node_id,
            "status": "Not Started",
            "updated_at": now,
        }
        for target in accepted.given.request.targets
    ]


assert set(OrderRow.__slots__) <= set(Certificate.__table__.columns.keys())  # noqa: S101 - a slip of the pen
