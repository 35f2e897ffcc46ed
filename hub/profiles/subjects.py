"""Composing a certificate's subject from the organization and the request, as the profile says."""

from __future__ import annotations

from collections.abc import Mapping

from hub.organizations.records import OrganizationRecord
from hub.profiles.records import DEFAULT_SUBJECT_POLICY, ProfileRecord, SubjectSource

# The organization has no value for the others: they come from the request or stay out.
_ORGANIZATION_ATTRIBUTES = {
    "organization": "name",
    "locality": "locality",
    "state": "state",
    "country": "country",
}


def compose_subject(
    profile: ProfileRecord, organization: OrganizationRecord, requested: Mapping[str, str]
) -> dict[str, str]:
    """Return the subject's attributes (``common_name``, ``organization`` ...), empty ones left out.

    ``requested`` is what the applicant or the CSR says, by the same names.
    """
    subject = {}
    for attribute in DEFAULT_SUBJECT_POLICY:
        source = profile.subject_policy.get(attribute, DEFAULT_SUBJECT_POLICY[attribute])
        asked = requested.get(attribute, "").strip()
        owned = _owned(organization, attribute)
        value = {
            SubjectSource.ORGANIZATION: owned,
            SubjectSource.REQUEST: asked or owned,
            SubjectSource.OMIT: "",
        }[source]
        if value:
            subject[attribute] = value
    return subject


def _owned(organization: OrganizationRecord, attribute: str) -> str:
    field = _ORGANIZATION_ATTRIBUTES.get(attribute)
    return getattr(organization, field) if field else ""
