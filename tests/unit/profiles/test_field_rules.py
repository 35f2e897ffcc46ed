"""What an administrator can't set on a profile, with the field that is to blame."""

from datetime import date

import pytest

from hub.profiles.errors import InvalidProfile
from hub.profiles.field_rules import check_terms, stored_values
from hub.profiles.records import (
    DOMAIN_VALIDATED_SUBJECT_POLICY,
    ProfileFields,
    RenewalPolicy,
    SanRule,
    SubjectSource,
    default_subject_policy,
)

PUBLIC = {"trust": "public", "terms_days": (90,)}
EC, RSA, ED = ("EC-P256",), ("RSA-2048",), ("Ed25519",)


def fault(**fields):
    """The field and the words of the first fault; None: the profile can be stored."""
    try:
        stored_values(ProfileFields(**{"name": "Servers", "backend_id": 1} | fields))
    except InvalidProfile as invalid:
        return invalid.field, invalid.message
    return None


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": ""}, "name", "64"),
        ({"name": "two\nlines"}, "name", "printable"),
        ({"sub_type": "XV"}, "sub_type", "DV, OV, EV"),
        ({"terms_days": (36_501,)}, "terms_days", "36500"),
        ({"min_names": 0}, "min_names", "1 to 1000"),
        ({"san_rule": SanRule.SINGLE, "min_names": 2}, "min_names", "one name"),
        ({"san_rule": SanRule.WILDCARD, "min_names": 2}, "min_names", "one name"),
        ({"min_names": 5, "max_names": 4}, "max_names", "nothing fits"),
        ({"max_names": 1001}, "max_names", "1000"),
        ({"www_included": True}, "www_included", "single"),
        ({"san_rule": SanRule.WILDCARD, "ip_addresses": True}, "ip_addresses", "wildcard"),
        ({**PUBLIC, "ip_addresses": True}, "ip_addresses", "domains only"),
        ({**PUBLIC, "internal_names": True}, "internal_names", "internal"),
        ({**PUBLIC, "key_types": ED}, "key_types", "Ed25519"),
        ({"approvals": 0}, "approvals", "1 or 2"),
        ({"approvals": 3}, "approvals", "1 or 2"),
        ({"auto_approve": True, "approvals": 2}, "approvals", "choose one"),
        ({"agreement": "x" * 100_001}, "agreement", "100000"),
    ],
)
def test_a_value_that_can_not_be(fields, field, words):
    found = fault(**fields)
    assert found is not None
    assert found[0] == field
    assert words in found[1]


@pytest.mark.parametrize(
    ("key_types", "key_usage", "allowed"),
    [
        (RSA, ("digitalSignature", "keyEncipherment"), True),
        (EC, ("digitalSignature", "keyEncipherment"), False),
        (RSA + EC, ("digitalSignature", "keyEncipherment"), False),
        (EC, ("digitalSignature", "dataEncipherment"), False),
        (EC, ("digitalSignature", "keyAgreement"), True),
        (EC, ("keyAgreement", "encipherOnly"), True),
        (RSA, ("keyAgreement",), False),
        (ED, ("digitalSignature", "keyAgreement"), False),
        (ED, ("digitalSignature",), True),
        (RSA + EC, (), True),
        (EC, ("digitalSignature", "encipherOnly"), False),
        (EC, ("cRLSign",), False),
    ],
)
def test_key_usages_fit_every_key_type(key_types, key_usage, allowed):
    found = fault(key_types=key_types, key_usage=key_usage)
    assert (found is None) is allowed
    assert allowed or found[0] == "key_usage"


@pytest.mark.parametrize(
    ("extended", "key_usage", "allowed"),
    [
        (("serverAuth",), ("nonRepudiation",), False),
        (("serverAuth",), ("keyEncipherment",), True),
        (("clientAuth",), ("keyEncipherment",), False),
        (("serverAuth", "clientAuth"), ("digitalSignature",), True),
        (("codeSigning",), ("keyEncipherment",), False),
        (("1.3.6.1.4.1.55555.7",), ("keyEncipherment",), True),
    ],
)
def test_extended_usages_find_the_key_usages_that_they_need(extended, key_usage, allowed):
    found = fault(key_types=RSA, extended_key_usage=extended, key_usage=key_usage)
    assert (found is None) is allowed
    assert allowed or found[0] == "key_usage"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"extended_key_usage": ("clientAuth",)}, "extended_key_usage"),
        ({"extended_key_usage": ("serverAuth", "emailProtection")}, "extended_key_usage"),
        ({"extended_key_usage": ("serverAuth", "anyExtendedKeyUsage")}, "extended_key_usage"),
        ({"extended_key_usage": ("serverAuth", "clientAuth")}, None),
        ({"key_types": RSA, "key_usage": ("digitalSignature", "nonRepudiation")}, "key_usage"),
        ({"key_types": RSA, "key_usage": ("keyEncipherment",)}, None),
        ({"key_types": EC, "key_usage": ("keyAgreement",)}, "key_usage"),
    ],
)
def test_public_trust_is_for_servers(fields, field):
    found = fault(**PUBLIC, **fields)
    assert (found and found[0]) == field
    assert fault(terms_days=(90,), **fields) is None


ORGANIZATION, OMIT = SubjectSource.ORGANIZATION, SubjectSource.OMIT


@pytest.mark.parametrize(
    ("sub_type", "policy", "words"),
    [
        ("", {"organizational_unit": ORGANIZATION}, "organizational_unit"),
        ("DV", {}, "organization, locality, state"),
        ("DV", DOMAIN_VALIDATED_SUBJECT_POLICY, None),
        ("OV", {}, None),
        ("OV", {"organization": OMIT}, "names the organization"),
        ("EV", {"organization": OMIT}, "names the organization"),
    ],
)
def test_the_subject_says_what_was_validated(sub_type, policy, words):
    found = fault(**PUBLIC, sub_type=sub_type, subject_policy=policy)
    assert (found is None) is (words is None)
    assert words is None or (found[0] == "subject_policy" and words in found[1])
    # A private CA may say what it likes.
    assert fault(sub_type=sub_type, subject_policy=policy) is None


def test_the_default_subject_can_be_stored_for_every_kind():
    for trust in ("private", "public"):
        for sub_type in ("", "DV", "OV", "EV"):
            policy = default_subject_policy(trust, sub_type)
            assert fault(trust=trust, sub_type=sub_type, terms_days=(90,), subject_policy=policy) is None


@pytest.mark.parametrize(
    ("terms", "renewal", "field", "words"),
    [
        ((90,), {"days_before": 30}, None, ""),
        ((90,), {"days_before": 89, "jitter_hours": 0}, None, ""),
        ((90,), {"days_before": 90}, "days_before", "before a certificate of 90 days begins"),
        ((47, 365), {"days_before": 60}, "days_before", "47 days"),
        ((90,), {"days_before": 0}, "days_before", "at least one day"),
        ((90,), {"share": 0.0}, "share", "between 0 and 1"),
        ((90,), {"share": 1.0}, "share", "between 0 and 1"),
        ((90,), {"share": 0.99}, None, ""),
        ((90,), {"jitter_hours": -1}, "jitter_hours", "0 to 720"),
        ((90,), {"jitter_hours": 721}, "jitter_hours", "0 to 720"),
        ((1,), {"enabled": True}, "jitter_hours", "at most 16 hours"),
        ((1,), {"enabled": False}, None, ""),
        ((10,), {"enabled": True, "days_before": 9, "jitter_hours": 24}, "jitter_hours", "at most 23 hours"),
        ((10,), {"enabled": True, "days_before": 9, "jitter_hours": 23}, None, ""),
        ((90,), {"days_before": 10, "revoke_after_hours": 239}, None, ""),
        ((90,), {"days_before": 10, "revoke_after_hours": 240}, "revoke_after_hours", "expired"),
        ((90,), {"share": 0.5, "revoke_after_hours": 45 * 24}, "revoke_after_hours", "expired"),
        ((90,), {"revoke_after_hours": -1}, "revoke_after_hours", "from 0"),
        ((90,), {"revoke_after_hours": 0}, None, ""),
    ],
)
def test_a_renewal_policy_can_work(terms, renewal, field, words):
    found = fault(terms_days=terms, renewal=RenewalPolicy(**renewal))
    assert (found and found[0]) == (field and f"renewal.{field}")
    assert found is None or words in found[1]


def terms_fault(*terms, on, trust="public", kept=()):
    fields = ProfileFields(name="Servers", backend_id=1, trust=trust, terms_days=terms)
    try:
        check_terms(fields, on=on, kept=kept)
    except InvalidProfile as invalid:
        return invalid.message
    return None


@pytest.mark.parametrize(
    ("day", "longest"),
    [
        (date(2026, 3, 14), 398),
        (date(2026, 3, 15), 200),
        (date(2027, 3, 14), 200),
        (date(2027, 3, 15), 100),
        (date(2029, 3, 14), 100),
        (date(2029, 3, 15), 47),
        (date(2040, 1, 1), 47),
    ],
)
def test_public_terms_shrink_on_the_days_of_the_ballot(day, longest):
    assert terms_fault(longest, on=day) is None
    assert f"at most {longest} days" in terms_fault(longest + 1, 30, on=day)
    assert terms_fault(3650, on=day, trust="private") is None


def test_a_term_that_was_allowed_may_stay_but_not_come():
    day = date(2027, 3, 15)
    assert terms_fault(47, 200, on=day, kept=(200,)) is None
    assert "101 days" in terms_fault(47, 101, 200, on=day, kept=(200,))
