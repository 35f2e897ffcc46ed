"""Who writes what into a subject."""

from datetime import UTC, datetime

from hub.organizations.service import OrganizationRecord
from hub.profiles.service import SubjectSource, compose_subject

ORGANIZATION = OrganizationRecord(
    id=1,
    public_id="0",
    name="Example Ltd",
    street="",
    locality="Berlin",
    state="",
    postal_code="",
    country="DE",
    status="active",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def test_the_organizations_values_fill_and_win(profile):
    asked = {
        "common_name": " www.example.com ",
        "organization": "Impostor Inc",
        "country": "US",
        "state": "Bern",
    }
    assert compose_subject(profile(), ORGANIZATION, asked) == {
        "common_name": "www.example.com",
        "organization": "Example Ltd",
        "locality": "Berlin",
        "country": "DE",
    }


def test_a_profile_may_take_the_requests_values_or_leave_them_out(profile):
    policy = {
        "common_name": SubjectSource.OMIT,
        "organization": SubjectSource.REQUEST,
        "organizational_unit": SubjectSource.REQUEST,
        "country": SubjectSource.REQUEST,
        "locality": SubjectSource.OMIT,
    }
    asked = {"common_name": "www.example.com", "organization": "Example Labs", "organizational_unit": "IT"}
    assert compose_subject(profile(subject_policy=policy), ORGANIZATION, asked) == {
        "organization": "Example Labs",
        "organizational_unit": "IT",
        "country": "DE",
    }
