"""What each method asks for and how it judges what was seen."""

import re
from datetime import UTC, datetime

import pytest

from hub.organizations.dcv.contract import Challenge, FileLookup, Mailed, Probed, Proof, Sight, Writable
from hub.organizations.dcv.errors import MethodUnknown
from hub.organizations.dcv.methods.dns_cname import target_of
from hub.organizations.dcv.registry import installed_methods, installed_writers, method_named
from pki.findings import Finding

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
VALUE = "dGhpcy1pcy1hLXRlc3QtdmFsdWUtb2YtMzItYnl0ZXM"
CHALLENGE = Challenge(
    domain="example.com",
    label="0123456789abcdef0123456789abcdef",
    value=VALUE,
    issuer="hub.example",
    account_uri="https://hub.example/dcv/accounts/1",
)
METHODS = installed_methods()


def decide(method: str, *values: str, fault: Finding | None = None):
    return METHODS[method].decide(CHALLENGE, Sight(values=values, fault=fault, seen_at=NOW), at=NOW)


def test_all_methods_and_writers_are_found_by_their_entry_points():
    assert set(METHODS) == {"dns_cname", "dns_persistent", "dns_txt", "email", "http_file"}
    writers = {"acme_dns", "azure_dns", "cloudflare", "program", "rfc2136", "route53"}
    assert set(installed_writers()) == writers
    with pytest.raises(MethodUnknown) as caught:
        method_named(METHODS, "whois")
    assert "dns_txt" in caught.value.message


def test_what_methods_can_do_beside_giving_instructions():
    assert {name for name, each in METHODS.items() if isinstance(each, Mailed)} == {"email"}
    assert {name for name, each in METHODS.items() if not isinstance(each, Probed)} == {"email"}
    assert {name for name, each in METHODS.items() if isinstance(each, Writable)} == {
        "dns_cname",
        "dns_txt",
        "dns_persistent",
    }
    assert not METHODS["http_file"].facts.covers_subdomains


def test_txt_wants_the_value_and_nothing_else():
    record = METHODS["dns_txt"].instructions(CHALLENGE).record
    assert (record.name, record.type, record.value) == ("_certwright-challenge.example.com", "TXT", VALUE)
    found = decide("dns_txt", "v=spf1 -all", VALUE)
    assert isinstance(found, Proof)
    assert found.seen == VALUE
    assert isinstance(decide("dns_txt", f" {VALUE}\n"), Proof)
    for wrong in (VALUE.lower(), VALUE[:-1], VALUE + "x", f'"{VALUE}"', ""):
        assert decide("dns_txt", wrong).reason == "ValueDiffers"
    assert decide("dns_txt").reason == "RecordMissing"


def test_what_could_not_be_seen_is_the_reason():
    fault = Finding("NameNotFound", "no such name")
    for method in ("dns_txt", "dns_cname", "http_file", "dns_persistent"):
        assert decide(method, fault=fault) == fault


def test_cname_target_is_a_name_of_its_own_that_nobody_can_own():
    record = METHODS["dns_cname"].instructions(CHALLENGE).record
    label, _, zone = record.value.partition(".")
    assert re.fullmatch(r"[a-z2-7]{32}", label)
    assert zone.endswith(".invalid")
    assert target_of(VALUE) != target_of(VALUE + "x")
    assert isinstance(decide("dns_cname", record.value.upper() + "."), Proof)
    assert isinstance(decide("dns_cname", "elsewhere.example.net", record.value), Proof)
    assert decide("dns_cname", "elsewhere.example.net").reason == "ValueDiffers"


def test_the_file_is_below_the_agreed_folder_and_its_address_does_not_give_the_value_away():
    instructions = METHODS["http_file"].instructions(CHALLENGE)
    assert METHODS["http_file"].lookup(CHALLENGE) == FileLookup(instructions.file_urls)
    for url in instructions.file_urls:
        assert re.fullmatch(r"https?://example\.com/\.well-known/pki-validation/[0-9a-f]{32}\.txt", url)
        assert VALUE not in url
    assert isinstance(decide("http_file", f"{instructions.file_content}\r\n"), Proof)
    assert isinstance(decide("http_file", "<html>not found</html>", f"first\n{VALUE}\n"), Proof)
    # The value must be a line, not part of a page that reflects what was asked for.
    assert decide("http_file", f"<p>{VALUE}</p>").reason == "ValueDiffers"


def test_mail_goes_to_constructed_addresses_and_to_those_that_the_domain_names():
    email = METHODS["email"]
    assert email.contact_lookup("example.com").name == "_validation-contactemail.example.com"
    named = Sight(values=("Ops@corp.example", "not an address", "admin@example.com"), seen_at=NOW)
    assert email.recipients("example.com", named) == (
        "admin@example.com",
        "administrator@example.com",
        "webmaster@example.com",
        "hostmaster@example.com",
        "postmaster@example.com",
        "Ops@corp.example",
    )
    evil = Sight(values=("a@b.example\r\nBcc: x@y.example", "a@b.example,c@d.example"), seen_at=NOW)
    assert len(email.recipients("example.com", evil)) == 5
