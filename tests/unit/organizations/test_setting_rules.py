"""Settings for a type of certificate: how departments narrow them, patterns, and the synchronised day."""

import calendar
import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.organizations.records import TypeSettings
from hub.organizations.setting_rules import effective, external_requester_fault, synced_end

PROFILES = st.none() | st.frozensets(st.integers(1, 5), max_size=4)
SETTINGS = st.builds(
    TypeSettings,
    certificate_type=st.just("ssl"),
    enabled=st.booleans(),
    profile_ids=PROFILES,
    synced_expiry_day=st.none() | st.integers(1, 31),
    external_requester_required=st.booleans(),
    external_requester_pattern=st.sampled_from(["", "*@example.com", "boss@*"]),
    principal_name_allowed=st.booleans(),
)


@given(organization=SETTINGS, department=SETTINGS)
def test_a_department_never_gets_more_than_its_organization(organization, department):
    whole, part = effective(organization), effective(organization, department)
    assert part.enabled <= whole.enabled
    assert part.principal_name_allowed <= whole.principal_name_allowed
    assert part.external_requester_required >= whole.external_requester_required
    assert set(part.external_requester_patterns) >= set(whole.external_requester_patterns)
    if whole.profile_ids is not None:
        assert part.profile_ids <= whole.profile_ids


@given(organization=SETTINGS)
def test_a_department_without_settings_has_its_organizations(organization):
    assert effective(organization) == effective(organization, organization)


@given(
    pattern=st.text("ab.*@", min_size=1, max_size=8).map(lambda text: f"{text}@x.test".replace("@@", "@")),
    local=st.text("ab", min_size=1, max_size=6),
)
def test_a_pattern_matches_what_a_regular_expression_would(pattern, local):
    address = f"{local}@x.test"
    model = re.compile(".*".join(re.escape(part) for part in pattern.split("*")))
    settings = effective(TypeSettings(certificate_type="ssl", external_requester_pattern=pattern))
    fault = external_requester_fault(settings, address)
    assert (fault is None) == bool(model.fullmatch(address))


@given(
    day=st.integers(1, 31),
    begin=st.datetimes(datetime(2026, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds of a strategy
    term_days=st.integers(1, 825),
)
def test_the_synchronised_end_is_on_that_day_within_the_term(day, begin, term_days):
    end = synced_end(day, begin=begin, term_days=term_days)
    latest = begin + timedelta(days=term_days)
    if end is None:
        # Only short terms are left as they are: of two months at least half is always left.
        assert term_days < 62
        return
    last_of_month = calendar.monthrange(end.year, end.month)[1]
    assert end.day == min(day, last_of_month)
    assert begin + timedelta(days=term_days) / 2 <= end < latest
    # The next such day would be after the term.
    following = end.date() + timedelta(days=1)
    while following.day != min(day, calendar.monthrange(following.year, following.month)[1]):
        following += timedelta(days=1)
    assert datetime(
        following.year, following.month, following.day, 23, 59, 59, tzinfo=UTC
    ) >= latest - timedelta(seconds=1)
