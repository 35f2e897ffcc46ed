"""Who may certify a name: the most specific delegation wins, whatever else is delegated.

The model below says the rules again in other words, and is compared with what the service answers over random
trees of domains, organizations, departments and types, through the database.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from hub.organizations.domain_patterns import CATCH_ALL, covering_patterns, parent_of
from hub.organizations.models import Department, Domain, Organization
from hub.organizations.overlaps import find_overlaps
from hub.organizations.policy import Holder, check_name
from hub.organizations.records import CERTIFICATE_TYPES, DomainRecord

LABELS = st.sampled_from(["a", "b", "www"])
NAMES = st.builds(
    lambda labels, wildcard: ".".join((["*"] if wildcard else []) + labels + ["example", "com"]),
    st.lists(LABELS, max_size=3),
    st.booleans(),
)
PATTERNS = st.one_of(st.just(CATCH_ALL), NAMES)
# Organizations 1 to 3; departments 11 and 12 are of 1, 21 of 2, none of 3.
PLACES = [Holder(1), Holder(1, 11), Holder(1, 12), Holder(2), Holder(2, 21), Holder(3)]
TYPES = st.frozensets(st.sampled_from(CERTIFICATE_TYPES), min_size=1)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@st.composite
def delegations(draw):
    """Rows as they might lie in the table, counting ones and others."""
    wanted = draw(
        st.lists(
            st.tuples(PATTERNS, st.sampled_from(PLACES), TYPES, st.booleans(), st.booleans()),
            max_size=10,
            unique_by=lambda row: (row[0], row[1]),
        )
    )
    return [
        DomainRecord(
            id=number,
            organization_id=place.organization_id,
            department_id=place.department_id,
            name=pattern,
            certificate_types=tuple(types),
            state="approved" if approved else "requested",
            active=active,
            requested_by="",
            created_at=NOW,
        )
        for number, (pattern, place, types, approved, active) in enumerate(wanted, start=1)
    ]


def covers(pattern, name):
    """The same rule, told differently: by comparing text."""
    if pattern == CATCH_ALL:
        return True
    if pattern.startswith("*."):
        return name.endswith(pattern[1:])
    return pattern == name


def specificity(pattern):
    return (pattern != CATCH_ALL, not pattern.startswith("*"), len(pattern))


def expected(rows, name, asker, certificate_type):
    """Return the reason that the rules give, or None."""
    rows = [row for row in rows if row.approved and row.active and certificate_type in row.certificate_types]

    def holders(pattern):
        return {Holder(row.organization_id, row.department_id) for row in rows if row.name == pattern}

    def usable(pattern):
        return bool(holders(pattern) & {asker, Holder(asker.organization_id)})

    covering = {row.name for row in rows if covers(row.name, name)}
    if not covering:
        return "NameNotDelegated"
    winner = max(covering, key=specificity)
    if not any(holder.organization_id == asker.organization_id for holder in holders(winner)):
        return "NameDelegatedElsewhere"
    if not usable(winner):
        return "NameDelegatedToDepartment"
    if name.startswith("*."):
        # What a TLS client would accept the wildcard certificate for.
        matched = {row.name for row in rows if "*" not in row.name and row.name.partition(".")[2] == name[2:]}
        if not all(usable(pattern) for pattern in matched):
            return "WildcardCoversOthers"
    return None


def holders_of(rows, certificate_type):
    found = {}
    for row in rows:
        if row.approved and row.active and certificate_type in row.certificate_types:
            found.setdefault(row.name, set()).add(Holder(row.organization_id, row.department_id))
    return {name: frozenset(places) for name, places in found.items()}


@given(rows=delegations(), name=NAMES, certificate_type=st.sampled_from(CERTIFICATE_TYPES))
def test_the_checks_say_what_the_rules_say(rows, name, certificate_type):
    holders = holders_of(rows, certificate_type)
    for asker in PLACES:
        finding = check_name(name, asker=asker, holders=holders, certificate_type=certificate_type)
        assert (finding and finding.reason) == expected(rows, name, asker, certificate_type)


@pytest.fixture
async def places(db):
    async with db.write() as uow:
        for number in (1, 2, 3):
            values = {"id": number, "public_id": f"o{number}", "name": f"Organization {number}"}
            await uow.session.execute(insert(Organization).values(**values, created_at=uow.now))
        for number, organization_id in ((11, 1), (12, 1), (21, 2)):
            values = {"id": number, "organization_id": organization_id, "name": f"Department {number}"}
            await uow.session.execute(insert(Department).values(**values, created_at=uow.now))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=delegations(),
    names=st.lists(NAMES, min_size=1, max_size=4, unique=True),
    certificate_type=st.sampled_from(CERTIFICATE_TYPES),
)
async def test_the_service_says_what_the_rules_say(db, organizations, places, rows, names, certificate_type):
    async with db.write() as uow:
        await uow.session.execute(delete(Domain))
        for row in rows:
            await uow.session.execute(
                insert(Domain).values(
                    id=row.id,
                    organization_id=row.organization_id,
                    department_id=row.department_id,
                    name=row.name,
                    parent=parent_of(row.name),
                    certificate_types=list(row.certificate_types),
                    state=row.state,
                    active=row.active,
                    created_at=uow.now,
                )
            )
    async with db.read() as session:
        for asker in PLACES:
            findings = await organizations.check_names(
                session,
                asker.organization_id,
                names,
                certificate_type=certificate_type,
                department_id=asker.department_id,
            )
            reasons = [expected(rows, name, asker, certificate_type) for name in names]
            assert [finding.reason for finding in findings] == [reason for reason in reasons if reason]


@given(rows=delegations(), name=NAMES, stranger=PATTERNS)
def test_a_delegation_that_does_not_cover_a_name_decides_nothing_about_it(rows, name, stranger):
    if covers(stranger, name) or (name.startswith("*.") and parent_of(stranger) == name[2:]):
        return
    holders = holders_of(rows, "ssl")
    changed = dict(holders) | {stranger: frozenset({Holder(9)})}
    for asker in PLACES:
        before = check_name(name, asker=asker, holders=holders)
        assert check_name(name, asker=asker, holders=changed) == before


@given(name=NAMES)
def test_the_patterns_asked_for_are_exactly_those_that_cover(name):
    patterns = covering_patterns(name)
    assert all(covers(pattern, name) for pattern in patterns)
    assert list(patterns) == sorted(set(patterns), key=specificity, reverse=True)


@given(rows=delegations())
def test_every_overlap_is_reported_once(rows):
    reported = [frozenset({item.narrower.id, item.wider.id}) for item in find_overlaps(rows)]
    assert len(reported) == len(set(reported))
    for one in rows:
        for other in rows:
            if one.id >= other.id:
                continue
            meet = (
                CATCH_ALL not in {one.name, other.name}
                and (covers(one.name, other.name) or covers(other.name, one.name))
                and (one.organization_id, one.department_id) != (other.organization_id, other.department_id)
                and bool(set(one.certificate_types) & set(other.certificate_types))
            )
            assert meet == (frozenset({one.id, other.id}) in reported)


@given(rows=delegations(), name=NAMES)
def test_who_loses_a_name_to_a_narrower_domain_finds_it_among_the_overlaps(rows, name):
    """Nobody is surprised: where a wider holder is refused, the report names both."""
    rows = [replace(row, state="approved", active=True) for row in rows]
    holders = holders_of(rows, "ssl")
    reported = {(item.narrower.name, item.wider.name) for item in find_overlaps(rows)}
    for row in rows:
        if row.name == CATCH_ALL or "ssl" not in row.certificate_types or not covers(row.name, name):
            continue
        asker = Holder(row.organization_id, row.department_id)
        finding = check_name(name, asker=asker, holders=holders)
        winner = max((item for item in holders if covers(item, name)), key=specificity)
        if finding is not None and finding.reason != "WildcardCoversOthers":
            assert (winner, row.name) in reported


def test_the_finding_does_not_say_who_holds_the_name():
    holders = {"*.example.com": frozenset({Holder(2)})}
    finding = check_name("www.example.com", asker=Holder(1), holders=holders)
    assert finding.message == "www.example.com is delegated to another organization"


def test_a_malformed_name_is_found():
    finding = check_name("a_b.example.com", asker=Holder(1), holders={"*": frozenset({Holder(1)})})
    assert finding.reason == "NameMalformed"


def test_only_the_catch_all_covers_ip_addresses():
    holders = {"*": frozenset({Holder(1)}), "*.example.com": frozenset({Holder(1)})}
    assert check_name("2001:DB8::1", asker=Holder(1), holders=holders) is None
    del holders["*"]
    finding = check_name("2001:DB8::1", asker=Holder(1), holders=holders)
    assert finding.reason == "NameNotDelegated"
