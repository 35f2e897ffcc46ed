"""Properties that hold for all names, secrets and certificates."""

import ipaddress
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pki import der
from pki.algorithms import SignatureAlgorithm
from pki.at_rest import KeyEncryptionKey
from pki.certificates import parse_certificate
from pki.crls import CrlEntry, CrlTemplate, RevocationReason, build_crl_tbs, encode_crl_entry
from pki.csrs import build_csr, parse_csr
from pki.errors import InvalidName
from pki.issuing import assemble, build_tbs
from pki.keys import KeyType, generate_key, spki_der
from pki.names import (
    SubjectFields,
    display_dns_name,
    encode_name,
    name_matches,
    name_string,
    names_cover,
    normalize_dns_name,
    normalize_email,
    normalize_ip_address,
)
from pki.sealing import generate_receiver_key, open_sealed, seal
from pki.subject_alt_names import AltNames
from pki.templates import IssuerRef, LeafProfile, StatusUrls, SubjectRef, Validity, leaf_template

# The library warns of attributes that are long in octets, though not in characters.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")

LETTERS = string.ascii_lowercase + string.digits
LABELS = st.text(LETTERS, min_size=1, max_size=12).filter(lambda label: not label.isdigit())
HOSTS = st.lists(LABELS, min_size=2, max_size=5).map(".".join)
ADDRESSES = st.ip_addresses().map(str).filter(lambda text: "%" not in text)
EXAMPLES = settings(deadline=None, max_examples=200)
KEY = generate_key(KeyType.EC_P256)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(name=HOSTS)
def test_normalization_is_stable_and_ignores_case_and_the_last_dot(name):
    assert normalize_dns_name(name) == name
    assert normalize_dns_name(name.upper() + ".") == name


@given(name=st.text(max_size=80))
def test_any_text_is_a_name_in_normal_form_or_refused(name):
    try:
        normalized = normalize_dns_name(name)
    except InvalidName:
        return
    assert normalize_dns_name(normalized) == normalized
    assert normalized.isascii()
    assert set(normalized) <= set(LETTERS + "-.*")
    assert display_dns_name(normalized)


@given(text=st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text):
    for normalize in (normalize_ip_address, normalize_email):
        try:
            assert normalize(normalize(text)) == normalize(text)
        except InvalidName:
            continue


@given(name=HOSTS)
def test_a_name_covers_itself_and_no_subdomain(name):
    assert name_matches(name, name.upper())
    assert not name_matches(name, f"www.{name}")
    assert not name_matches(f"www.{name}", name)


@given(parent=HOSTS, label=LABELS, deeper=LABELS)
def test_a_wildcard_covers_exactly_one_label(parent, label, deeper):
    assert name_matches(f"*.{parent}", f"{label}.{parent}")
    assert not name_matches(f"*.{parent}", parent)
    assert not name_matches(f"*.{parent}", f"{deeper}.{label}.{parent}")


@given(pattern=HOSTS, name=HOSTS, wildcard=st.booleans())
def test_nothing_else_is_covered(pattern, name, wildcard):
    certified = f"*.{pattern}" if wildcard else pattern
    covered = name.partition(".")[2] == pattern if wildcard else name == pattern
    assert name_matches(certified, name) is covered


@given(address=ADDRESSES, other=ADDRESSES)
def test_addresses_cover_themselves_only(address, other):
    assert names_cover([], [address], address)
    assert names_cover([], [address], other) is (ipaddress.ip_address(address) == ipaddress.ip_address(other))
    assert not names_cover([address], [], address)


@EXAMPLES
@given(plaintext=st.binary(max_size=500), info=st.binary(max_size=50), aad=st.binary(max_size=50))
def test_what_is_sealed_or_wrapped_comes_back(plaintext, info, aad):
    receiver = generate_receiver_key()
    assert open_sealed(
        receiver, seal(receiver.public, plaintext, info=info, aad=aad), info=info, aad=aad
    ) == (plaintext)
    key = KeyEncryptionKey(bytes(32))
    assert key.unwrap(key.wrap(plaintext, aad), aad) == plaintext


PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=40)


@EXAMPLES
@given(
    common_name=PRINTABLE, organization=PRINTABLE, names=st.lists(HOSTS, max_size=5), ips=st.lists(ADDRESSES)
)
def test_requests_say_what_was_asked_for(common_name, organization, names, ips):
    subject = SubjectFields(common_name=common_name, organization=organization)
    parsed = parse_csr(build_csr(KEY, subject, names, ips))
    assert parsed.subject == name_string(subject)
    assert parsed.common_name == common_name
    assert parsed.dns_names == tuple(names)
    assert parsed.ip_addresses == tuple(ips)


TIMES = st.integers(-631152000, 253402300799).map(
    lambda seconds: EPOCH + timedelta(seconds=seconds)
)  # 1950-9999
NAMES = st.builds(
    AltNames,
    st.lists(HOSTS, max_size=4).map(tuple),
    st.lists(ADDRESSES, max_size=4).map(tuple),
    st.lists(HOSTS.map(lambda host: f"jane@{host}"), max_size=2).map(tuple),
)


@EXAMPLES
@given(serial=st.integers(1, (1 << 128) - 1), start=TIMES, end=TIMES, names=NAMES, common_name=PRINTABLE)
def test_certificates_say_what_the_template_says(serial, start, end, names, common_name):
    assume(start < end)
    assume(common_name or names != AltNames())
    template = leaf_template(
        serial=serial,
        signature_algorithm=SignatureAlgorithm.ECDSA_SHA256,
        issuer=IssuerRef(encode_name(SubjectFields(common_name="CA")), b"\x01" * 20),
        validity=Validity(start, end),
        subject=SubjectRef(
            encode_name(SubjectFields(common_name=common_name)), spki_der(KEY.public_key()), names
        ),
        profile=LeafProfile(),
        urls=StatusUrls(),
    )
    facts = parse_certificate(assemble(build_tbs(template), template.signature_algorithm, b"\x30\x00"))
    assert int(facts.serial, 16) == serial
    assert (facts.not_before, facts.not_after) == (start, end)
    assert (facts.dns_names, facts.ip_addresses, facts.emails) == (
        names.dns_names,
        names.ip_addresses,
        names.emails,
    )
    assert facts.common_name == common_name
    assert facts.unreadable == ()
    later = replace(template, validity=Validity(start, end), serial=serial)
    assert build_tbs(later) == build_tbs(template)


@EXAMPLES
@given(
    entries=st.lists(
        st.builds(CrlEntry, st.integers(1, (1 << 159) - 1), TIMES, st.sampled_from(RevocationReason)),
        max_size=20,
        unique_by=lambda entry: entry.serial,
    ),
    number=st.integers(0, (1 << 159) - 1),
)
def test_lists_say_what_was_revoked(entries, number):
    template = CrlTemplate(
        issuer=IssuerRef(encode_name(SubjectFields(common_name="CA")), b"\x01" * 20),
        signature_algorithm=SignatureAlgorithm.ECDSA_SHA256,
        number=number,
        this_update=datetime(2026, 1, 1, tzinfo=UTC),
        next_update=datetime(2026, 1, 8, tzinfo=UTC),
    )
    tbs = build_crl_tbs(template, map(encode_crl_entry, entries))
    crl = x509.load_der_x509_crl(assemble(tbs, template.signature_algorithm, b"\x30\x00"))
    assert [(item.serial_number, item.revocation_date_utc) for item in crl] == [
        (entry.serial, entry.revoked_at) for entry in entries
    ]
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == number


@given(value=st.integers(0, 1 << 200))
def test_integers_are_minimal_and_positive(value):
    content = der.read_element(der.integer(value)).content
    assert int.from_bytes(content, "big", signed=True) == value
    assert len(content) == 1 or content[0] != 0 or content[1] & 0x80


@given(
    arcs=st.lists(st.integers(0, 1 << 128), max_size=6), first=st.integers(0, 2), second=st.integers(0, 39)
)
def test_identifiers_come_back(arcs, first, second):
    dotted = ".".join(map(str, (first, second, *arcs)))
    assert der.read_object_identifier(der.read_element(der.object_identifier(dotted)).content) == dotted
