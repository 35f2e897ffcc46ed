"""What a profile allows, finding by finding."""

from datetime import date

import pytest

from hub.profiles.policy import PROFILE_CHECKS
from hub.profiles.service import ProfileCheckInput, SanRule, check_request


@pytest.fixture
def reasons(profile):
    def check(*names, key_type="EC-P256", term_days=90, organization_id=1, on=None, **fields):
        request = ProfileCheckInput(
            profile=profile(**fields),
            organization_id=organization_id,
            key_type=key_type,
            names=names,
            term_days=term_days,
            on=on,
        )
        return [finding.reason for finding in check_request(request)]

    return check


def test_a_request_that_fits_has_no_findings(reasons):
    assert reasons("www.example.com", "192.0.2.1") == []


def test_every_finding_has_its_own_reason_and_all_are_reported(reasons):
    assert reasons(
        "*.example.com",
        "a_b",
        key_type="RSA-1024",
        term_days=91,
        status="disabled",
        organization_ids=frozenset({2}),
        max_names=1,
    ) == [
        "ProfileDisabled",
        "OrganizationNotAllowed",
        "KeyTypeNotAllowed",
        "TermNotOffered",
        "NameMalformed",
        "TooManyNames",
        "WildcardNotAllowed",
    ]
    assert reasons() == ["NamesMissing"]
    assert len({check.__name__ for check in PROFILE_CHECKS}) == len(PROFILE_CHECKS)


@pytest.mark.parametrize(
    ("rule", "names", "expected"),
    [
        (SanRule.SINGLE, ("a.example",), []),
        (SanRule.SINGLE, ("a.example", "b.example"), ["TooManyNames"]),
        (SanRule.SINGLE, ("*.a.example",), ["WildcardNotAllowed"]),
        (SanRule.WILDCARD, ("*.a.example",), []),
        (SanRule.WILDCARD, ("*.a.example", "a.example"), []),
        (SanRule.WILDCARD, ("*.a.example", "b.example"), ["WildcardExpected"]),
        (SanRule.WILDCARD, ("*.a.example", "*.b.example"), ["WildcardExpected"]),
        (SanRule.WILDCARD, ("a.example",), ["WildcardExpected"]),
        (SanRule.WILDCARD, ("*.a.example", "a.example", "b.example"), ["TooManyNames", "WildcardExpected"]),
        (SanRule.MULTI, ("a.example", "b.example", "c.example"), []),
        (SanRule.MULTI, ("a.example", "*.a.example"), ["WildcardNotAllowed"]),
        (SanRule.ANY, ("a.example", "*.a.example", "*.b.example"), []),
    ],
)
def test_the_rule_of_names(reasons, rule, names, expected):
    assert reasons(*names, san_rule=rule) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("example.com",), []),
        (("www.example.com",), []),
        (("example.com", "www.example.com"), []),
        (("www.example.com", "example.com"), []),
        (("example.com", "mail.example.com"), ["NamesUnrelated"]),
        (("example.com", "www.example.org"), ["NamesUnrelated"]),
        (("example.com", "example.org"), ["NamesUnrelated"]),
        (("example.com", "www.example.com", "a.example.com"), ["TooManyNames"]),
        (("*.example.com", "www.example.com"), ["NamesUnrelated", "WildcardNotAllowed"]),
    ],
)
def test_a_single_name_may_bring_its_www(reasons, names, expected):
    assert reasons(*names, san_rule=SanRule.SINGLE, www_included=True) == expected


def test_several_names_may_be_asked_for(reasons):
    assert reasons("a.example.com", min_names=2) == ["TooFewNames"]
    assert reasons("a.example.com", "b.example.com", min_names=2) == []
    assert reasons(min_names=2) == ["NamesMissing"]


@pytest.mark.parametrize("name", ["192.0.2.1", "2001:db8::1"])
def test_a_profile_may_take_no_ip_addresses(reasons, name):
    assert reasons(name, ip_addresses=False) == ["IpAddressNotAllowed"]
    assert reasons(name, ip_addresses=True, internal_names=False) == []


@pytest.mark.parametrize("name", ["localhost", "intranet.corp", "a.b.local", "co.uk", "*.x.corp"])
def test_a_profile_may_take_no_internal_names(reasons, name):
    assert reasons(name, san_rule=SanRule.ANY, internal_names=False) == ["InternalNameNotAllowed"]
    assert reasons(name, san_rule=SanRule.ANY, internal_names=True, ip_addresses=False) == []
    assert reasons("www.example.com", internal_names=False) == []


def test_a_request_is_held_against_the_limit_of_its_day(reasons):
    term = {"term_days": 200, "terms_days": (90, 200)}
    assert reasons("www.example.com", on=date(2027, 3, 14), trust="public", **term) == []
    assert reasons("www.example.com", on=date(2027, 3, 15), trust="public", **term) == ["TermTooLongNow"]
    assert reasons("www.example.com", on=date(2027, 3, 15), trust="private", **term) == []


@pytest.mark.parametrize("name", ["*.co.uk", "*.com.au"])
def test_no_wildcard_stands_over_a_registry(reasons, name):
    assert reasons(name, trust="public", san_rule=SanRule.ANY) == ["NameNotPublic"]


@pytest.mark.parametrize("name", ["localhost", "intranet.corp", "192.0.2.1", "2001:db8::1", "co.uk"])
def test_public_trust_certifies_no_internal_names(reasons, name):
    assert reasons(name, trust="public") == ["NameNotPublic"]
    assert reasons(name, trust="private") == []


def test_public_trust_certifies_public_names(reasons):
    assert reasons("www.example.co.uk", trust="public") == []


def test_the_message_says_what_would_be_right(profile):
    request = ProfileCheckInput(
        profile=profile(), organization_id=1, key_type="DSA-1024", names=("a.example",), term_days=90
    )
    (finding,) = check_request(request)
    assert "DSA-1024" in finding.message
    assert "EC-P256" in finding.message
