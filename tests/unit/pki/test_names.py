"""Names: what may be certified, in which form, and what covers what."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pki.csrs import build_csr
from pki.errors import InvalidName
from pki.keys import KeyType, generate_key
from pki.names import (
    SubjectFields,
    display_dns_name,
    encode_name,
    is_ip_address,
    name_matches,
    name_string,
    names_cover,
    normalize_dns_name,
    normalize_email,
    normalize_ip_address,
)

KEY = generate_key(KeyType.ED25519)


@pytest.mark.parametrize(
    ("name", "normalized"),
    [
        ("WWW.Example.COM", "www.example.com"),
        ("www.example.com.", "www.example.com"),
        (" www.example.com ", "www.example.com"),
        ("intranet", "intranet"),
        ("*.example.com", "*.example.com"),
        ("*.Bücher.example", "*.xn--bcher-kva.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("3com.example", "3com.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        ("i❤.example", None),
    ],
)
def test_dns_names_get_one_form(name, normalized):
    if normalized is None:  # a symbol that IDNA 2008 does not allow
        with pytest.raises(InvalidName):
            normalize_dns_name(name)
        return
    assert normalize_dns_name(name) == normalized


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "*",
        "*.com",
        "*.*.example.com",
        "www.*.example.com",
        "w*.example.com",
        "*example.com",
        "-a.example.com",
        "a-.example.com",
        "a..example.com",
        "under_score.example.com",
        "a b.example.com",
        "a\x00.example.com",
        "a\n.example.com",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
        "192.0.2.1",
        "example.123",
        "ab--cd.example.com",
        "xn--.example.com",
        "xn--a.example.com",
        "xn--999999999.example.com",
        "xn--bcher-KVAA-.example",
        "http://example.com",
        "example.com:443",
        "user@example.com",
    ],
)
def test_what_is_no_dns_name_is_refused(name):
    with pytest.raises(InvalidName):
        normalize_dns_name(name)


def test_a_wildcard_can_be_forbidden():
    with pytest.raises(InvalidName):
        normalize_dns_name("*.example.com", wildcard=False)


def test_people_see_the_decoded_name():
    assert display_dns_name("*.xn--bcher-kva.example") == "*.bücher.example"
    assert display_dns_name("xn--i-7iq.ws") == "xn--i-7iq.ws"


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("example.com", "EXAMPLE.com.", True),
        ("example.com", "www.example.com", False),
        ("*.example.com", "www.example.com", True),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.example.com", "*.example.com", False),
        ("*.com", "example.com", False),
        ("www.*.com", "www.example.com", False),
        ("*.bücher.example", "www.xn--bcher-kva.example", True),
        ("192.0.2.1", "192.0.2.1", False),
    ],
)
def test_dns_names_match_as_rfc_9525_says(pattern, name, covered):
    assert name_matches(pattern, name) is covered


def test_addresses_are_compared_as_addresses():
    assert names_cover([], ["2001:db8::1"], "2001:0DB8:0:0::1")
    assert not names_cover(["192.0.2.1"], [], "192.0.2.1")
    assert names_cover(["www.example.com"], ["192.0.2.1"], "www.example.com")


@pytest.mark.parametrize("text", ["fe80::1%eth0", "10.0.0.0/8", "010.0.0.1", "256.1.1.1", "1.2.3", "::g", ""])
def test_what_is_no_address_is_refused(text):
    assert not is_ip_address(text)
    with pytest.raises(InvalidName):
        normalize_ip_address(text)


def test_mailboxes():
    assert normalize_email("Jane.Doe@Bücher.example") == "Jane.Doe@xn--bcher-kva.example"
    for wrong in (
        "jane",
        "@example.com",
        "a@b@example.com",
        "a..b@example.com",
        "jane@-x.example",
        "jane @x.org",
    ):
        with pytest.raises(InvalidName):
            normalize_email(wrong)


def test_a_subject_is_written_most_specific_first():
    fields = SubjectFields(
        common_name="www.example.com",
        organization="Example, Inc.",
        organizational_unit="IT",
        locality="Köln",
        state="NRW",
        country="de",
    )
    assert name_string(fields) == r"CN=www.example.com,OU=IT,O=Example\, Inc.,L=Köln,ST=NRW,C=DE"
    assert name_string(SubjectFields()) == ""


def test_limits_count_characters_not_octets():
    name = "\N{CYRILLIC SMALL LETTER YA}" * 64
    request = x509.load_der_x509_csr(build_csr(KEY, SubjectFields(common_name=name)))
    with pytest.warns(UserWarning, match="Attribute's length"):  # the library counts octets
        assert request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == name
    with pytest.raises(InvalidName):
        encode_name(SubjectFields(common_name=name + "x"))


@pytest.mark.parametrize(
    "fields",
    [
        SubjectFields(country="DEU"),
        SubjectFields(country="1A"),
        SubjectFields(common_name="x" * 65),
        SubjectFields(organization="a\x00b"),
        SubjectFields(locality="a\nb"),
        SubjectFields(email="nobody"),
    ],
)
def test_subjects_that_can_not_be_certified(fields):
    with pytest.raises(InvalidName):
        encode_name(fields)
