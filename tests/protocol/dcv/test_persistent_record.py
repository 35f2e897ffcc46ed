"""Reading issue-values of persistent records (RFC 8659, 4.2; Baseline Requirements 3.2.2.4.22)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.organizations.dcv.contract import Challenge, Proof, Sight
from hub.organizations.dcv.methods.dns_persistent import DnsPersistent, Malformed, parse_issue_value

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
URI = "https://authority.example/acct/123"
CHALLENGE = Challenge(domain="example.com", label="0", value="v", issuer="authority.example", account_uri=URI)


def decide(*values: str):
    return DnsPersistent().decide(CHALLENGE, Sight(values=values, seen_at=NOW), at=NOW)


@pytest.mark.parametrize(
    "value",
    [
        f"authority.example; accounturi={URI}",
        f"authority.example;accounturi={URI}",
        f"  authority.example ;  accounturi = {URI} ; ",
        f"AUTHORITY.example.; AccountURI={URI}",
        f"authority.example; policy=wildcard; accounturi={URI}; unknown=x",
        f"authority.example; accounturi={URI}; persistUntil={int(NOW.timestamp())}",
    ],
)
def test_good_records_prove(value):
    assert isinstance(decide("v=spf1 -all", value), Proof)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (f"other.example; accounturi={URI}", "ValueDiffers"),
        (f"authority.example; accounturi={URI}4", "ValueDiffers"),
        (f"authority.example; accounturi={URI.upper()}", "ValueDiffers"),
        ("authority.example", "ValueDiffers"),
        (f"authority.example; accounturi={URI}; accounturi=https://x.example", "RecordMalformed"),
        (f"authority.example; accounturi={URI} policy", "RecordMalformed"),
        (f"authority.example; accounturi={URI}; persistUntil=tomorrow", "RecordMalformed"),
        (f"authority.example; accounturi={URI}; persistUntil=٣", "RecordMalformed"),
        (f"authority.example; accounturi={URI}; persistUntil=99999999999999", "RecordMalformed"),
        (f"authority.example; accounturi={URI}; persistUntil={int(NOW.timestamp()) - 1}", "RecordEnded"),
    ],
)
def test_others_say_why(value, reason):
    finding = decide(value)
    assert finding.reason == reason
    assert decide().reason == "RecordMissing"


def test_a_record_of_another_issuer_does_not_hide_that_ours_ended():
    ended = f"authority.example; accounturi={URI}; persistUntil=1"
    assert decide(ended, "other.example; accounturi=https://o.example").reason == "RecordEnded"


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    try:
        issuer, parameters = parse_issue_value(text)
    except Malformed:
        return
    assert ";" not in issuer
    assert all(tag == tag.lower() for tag in parameters)
    decide(text)
