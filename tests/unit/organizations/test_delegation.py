"""The most specific delegation wins, whatever else is delegated."""

from hypothesis import given
from hypothesis import strategies as st

from hub.organizations.domain_patterns import CATCH_ALL, covering_patterns
from hub.organizations.policy import check_name

LABELS = st.sampled_from(["a", "b", "www"])
NAMES = st.builds(
    lambda labels, wildcard: ".".join((["*"] if wildcard else []) + labels + ["example", "com"]),
    st.lists(LABELS, max_size=3),
    st.booleans(),
)
PATTERNS = st.one_of(
    st.just(CATCH_ALL),
    NAMES,
)
HOLDERS = st.dictionaries(PATTERNS, st.frozensets(st.integers(1, 3), min_size=1), max_size=8)


def covers(pattern, name):
    """The same rule, told differently: by comparing text."""
    if pattern == CATCH_ALL:
        return True
    if pattern.startswith("*."):
        return name.endswith(pattern[1:])
    return pattern == name


def specificity(pattern):
    return (pattern != CATCH_ALL, not pattern.startswith("*"), len(pattern))


@given(name=NAMES, holders=HOLDERS)
def test_the_most_specific_delegation_wins(name, holders):
    covering = [pattern for pattern in holders if covers(pattern, name)]
    winners = holders[max(covering, key=specificity)] if covering else frozenset()
    for organization_id in (1, 2, 3):
        finding = check_name(name, organization_id=organization_id, holders=holders)
        if organization_id in winners:
            assert finding is None
        else:
            assert finding.reason == ("NameDelegatedElsewhere" if covering else "NameNotDelegated")


@given(name=NAMES, holders=HOLDERS, stranger=PATTERNS)
def test_a_delegation_that_does_not_cover_a_name_decides_nothing_about_it(name, holders, stranger):
    if covers(stranger, name):
        return
    changed = holders | {stranger: frozenset({9})}
    for organization_id in (1, 2, 3):
        before = check_name(name, organization_id=organization_id, holders=holders)
        assert check_name(name, organization_id=organization_id, holders=changed) == before


@given(name=NAMES)
def test_the_patterns_asked_for_are_exactly_those_that_cover(name):
    patterns = covering_patterns(name)
    assert all(covers(pattern, name) for pattern in patterns)
    assert list(patterns) == sorted(set(patterns), key=specificity, reverse=True)


def test_the_finding_does_not_say_who_holds_the_name():
    finding = check_name("www.example.com", organization_id=1, holders={"*.example.com": frozenset({2})})
    assert finding.message == "www.example.com is delegated to another organization"


def test_a_malformed_name_is_found():
    finding = check_name("a_b.example.com", organization_id=1, holders={"*": frozenset({1})})
    assert finding.reason == "NameMalformed"


def test_only_the_catch_all_covers_ip_addresses():
    holders = {"*": frozenset({1}), "*.example.com": frozenset({1})}
    assert check_name("2001:DB8::1", organization_id=1, holders=holders) is None
    del holders["*"]
    assert check_name("2001:DB8::1", organization_id=1, holders=holders).reason == "NameNotDelegated"
