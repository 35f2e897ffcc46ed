"""Composing a certificate's subject from the organization and the request, as the profile says."""

from __future__ import annotations

from collections.abc import Mapping

from hub.organizations.records import DepartmentRecord, OrganizationRecord
from hub.profiles.records import DEFAULT_SUBJECT_POLICY, ProfileRecord, SubjectSource

# Neither has a value for the common name and the e-mail address: those come from the request or stay out.
_ADDRESS = ("locality", "state", "country")


def compose_subject(
    profile: ProfileRecord,
    organization: OrganizationRecord,
    requested: Mapping[str, str],
    *,
    department: DepartmentRecord | None = None,
) -> dict[str, str]:
    """Return the subject's attributes (``common_name``, ``organization`` ...), empty ones left out.

    ``requested`` is what the applicant or the CSR says, by the same names. A department gives its name as
    the organizational unit, and its address, which is its own or the organization's.
    """
    subject = {}
    for attribute in DEFAULT_SUBJECT_POLICY:
        source = profile.subject_policy.get(attribute, DEFAULT_SUBJECT_POLICY[attribute])
        asked = requested.get(attribute, "").strip()
        owned = _owned(organization, department, attribute)
        value = {
            SubjectSource.ORGANIZATION: owned,
            SubjectSource.REQUEST: asked or owned,
            SubjectSource.OMIT: "",
        }[source]
        if value:
            subject[attribute] = value
    return subject


def _owned(organization: OrganizationRecord, department: DepartmentRecord | None, attribute: str) -> str:
    if attribute == "organization":
        return organization.name
    if attribute == "organizational_unit":
        return department.name if department else ""
    if attribute in _ADDRESS:
        value: str = getattr(department or organization, attribute)
        return value
    return ""
