"""What can be delegated, and what a delegation covers."""

import pytest

from hub.organizations.domain_patterns import covering_patterns, normalize_domain
from hub.organizations.errors import DomainIsIpAddress, DomainIsPublicSuffix, InvalidDomain


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Example.COM.", "example.com"),
        (" *.example.com ", "*.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.internal", "*.internal"),
        ("localhost", "localhost"),
        ("github.io", "github.io"),
        ("*", "*"),
    ],
)
def test_a_domain_is_stored_in_one_form(text, stored):
    assert normalize_domain(text) == stored


@pytest.mark.parametrize("text", ["com", "co.uk", "*.co.uk", "*.com", "CO.UK."])
def test_a_public_suffix_can_not_be_delegated(text):
    with pytest.raises(DomainIsPublicSuffix) as caught:
        normalize_domain(text)
    assert caught.value.field == "name"


@pytest.mark.parametrize("text", ["192.0.2.1", "2001:db8::1", "[2001:db8::1]", "*.192.0.2.1"])
def test_an_ip_address_is_no_domain(text):
    with pytest.raises(DomainIsIpAddress) as caught:
        normalize_domain(text)
    assert caught.value.field == "name"


@pytest.mark.parametrize(
    "text",
    ["", "*.", "-a.example", "a..example", "a_b.example", "*.*.example.com", "foo.*.example", "xn--a.example",
     "ab--cd.example", "a" * 64 + ".example", "☃.example", "192.0.2.1/24", "http://example.com"],
)  # fmt: skip
def test_what_is_no_domain_is_refused_with_the_field(text):
    with pytest.raises(InvalidDomain) as caught:
        normalize_domain(text)
    assert caught.value.field == "name"


def test_patterns_come_most_specific_first():
    assert covering_patterns("a.b.example.com") == (
        "a.b.example.com",
        "*.b.example.com",
        "*.example.com",
        "*.com",
        "*",
    )
    assert covering_patterns("*.example.com") == ("*.example.com", "*.com", "*")
    assert covering_patterns("192.0.2.1") == ("*",)
