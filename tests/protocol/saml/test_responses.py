"""SAML responses, good and hostile: what is taken is only what the provider signed, for us, now."""

from __future__ import annotations

import copy
import time
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from hub.access.signin.errors import SamlRefused
from hub.access.signin.saml.responses import read_response, request_id_of
from hub.access.signin.saml.xml import MAX_BYTES, parse
from tests.protocol.saml.identity_provider import NOW, NS, stamp


def _read(root, expected):
    """What the hub does: parse bytes, then check."""
    return read_response(parse(etree.tostring(root)), expected)


def _reason(root, expected):
    with pytest.raises(SamlRefused) as caught:
        _read(root, expected)
    assert caught.value.code == "saml_refused"
    return caught.value.reason


@pytest.mark.parametrize("what", ["assertion", "response"])
def test_a_signed_response_is_read(idp, expected, what):
    root = idp.sign(idp.response(), what=what)
    for signed in (what, "either"):
        assertion = _read(root, expected(signed=signed))
        assert (assertion.subject, assertion.attributes["groups"]) == ("alice", ("pki", "staff"))
        assert assertion.name_id_format.endswith(":persistent")


def test_a_response_signed_twice_is_read(idp, expected):
    root = idp.sign(idp.sign(idp.response()), what="response")
    for signed in ("assertion", "response", "either"):
        assert _read(root, expected(signed=signed)).subject == "alice"


@pytest.mark.parametrize(("what", "wanted"), [("assertion", "response"), ("response", "assertion")])
def test_the_element_that_has_to_be_signed_is_the_configured_one(idp, expected, what, wanted):
    assert _reason(idp.sign(idp.response(), what=what), expected(signed=wanted)) == "NotSigned"


def test_what_is_not_signed_is_refused(idp, expected):
    assert _reason(idp.response(), expected()) == "NotSigned"


@pytest.mark.parametrize("what", ["assertion", "response"])
def test_a_change_after_signing_is_found(idp, expected, what):
    root = idp.sign(idp.response(), what=what)
    root.find(".//saml:NameID", NS).text = "mallory"
    assert _reason(root, expected(signed=what)) == "SignatureInvalid"


def test_a_key_of_somebody_else_is_refused(idp, expected):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert _reason(idp.sign(idp.response(), key=other), expected()) == "SignatureInvalid"


def test_after_a_roll_over_either_certificate_counts(idp, expected):
    other = type(idp)()
    certificates = [other.certificate, idp.certificate]
    assert _read(idp.sign(idp.response()), expected(certificates=certificates)).subject == "alice"


def test_old_algorithms_are_refused(idp, expected):
    root = idp.sign(idp.response())
    for path, name in (
        (".//ds:SignatureMethod", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        (".//ds:SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
    ):
        weak = copy.deepcopy(root)
        weak.find(path, NS).set("Algorithm", name)
        assert _reason(weak, expected()) in {"WeakAlgorithm", "SignatureInvalid"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"until": stamp(NOW - timedelta(minutes=2))}, "Expired"),
        ({"since": stamp(NOW + timedelta(minutes=2))}, "NotYetValid"),
        ({"audience": "https://other.example"}, "WrongAudience"),
        ({"recipient": "https://other.example/acs"}, "WrongRecipient"),
        ({"destination": "https://other.example/acs"}, "WrongDestination"),
        ({"issuer": "https://evil.example"}, "WrongIssuer"),
        ({"request": "_another"}, "WrongRequest"),
        ({"confirmed_request": "_another"}, "WrongRequest"),
        ({"request": ""}, "Unsolicited"),
        ({"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, "RefusedByProvider"),
        ({"until": "tomorrow"}, "BadTime"),
    ],
)
def test_a_well_signed_response_that_is_not_for_us_now_is_refused(idp, expected, values, reason):
    assert _reason(idp.sign(idp.response(**values)), expected()) == reason


@pytest.mark.parametrize("seconds", [-50, 50])
def test_clocks_may_differ_a_little(idp, expected, seconds):
    root = idp.sign(idp.response(since=stamp(NOW), until=stamp(NOW)))
    assert _read(root, expected(now=NOW + timedelta(seconds=seconds))).subject == "alice"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (".//saml:Conditions", "NoConditions"),
        (".//saml:AudienceRestriction", "NoAudience"),
        (".//saml:SubjectConfirmation", "NoConfirmation"),
        (".//saml:AuthnStatement", "NoAuthentication"),
        (".//saml:Subject", "NoConfirmation"),
    ],
)
def test_a_response_that_leaves_out_a_condition_is_refused(idp, expected, path, reason):
    root = idp.response()
    found = root.find(path, NS)
    found.getparent().remove(found)
    assert _reason(idp.sign(root), expected()) == reason


def test_a_condition_that_is_not_understood_is_refused(idp, expected):
    root = idp.response()
    etree.SubElement(root.find(".//saml:Conditions", NS), f"{{{NS['saml']}}}Condition")
    assert _reason(idp.sign(root), expected()) == "UnknownCondition"


def test_encrypted_assertions_are_refused_with_what_to_do(idp, expected):
    root = idp.response()
    root.remove(root.find("saml:Assertion", NS))
    etree.SubElement(root, f"{{{NS['saml']}}}EncryptedAssertion")
    with pytest.raises(SamlRefused, match="turn encryption off") as caught:
        _read(root, expected())
    assert caught.value.reason == "EncryptedAssertion"


@pytest.mark.parametrize(
    ("name_id", "subject"),
    [
        ("alice<!-- -->@evil.example", "alice@evil.example"),
        ("admin@hub.example<!---->.evil.example", "admin@hub.example.evil.example"),
        ("alice<?x y?>@evil.example", "alice@evil.example"),
    ],
)
def test_comments_do_not_cut_a_name_short(idp, expected, name_id, subject):
    # The provider signs a name that its owner chose; the comment is not part of what is signed.
    signed = idp.sign(idp.response(name_id=subject))
    text = etree.tostring(signed).decode().replace(f">{subject}<", f">{name_id}<")
    assert read_response(parse(text.encode()), expected()).subject == subject


def test_elements_inside_a_name_are_refused(idp, expected):
    root = idp.response()
    name_id = root.find(".//saml:NameID", NS)
    name_id.text = "ali"
    etree.SubElement(name_id, "b").tail = "ce"
    assert _reason(idp.sign(root), expected()) == "UnexpectedElement"


BOMB = (
    '<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + '<!ENTITY xxe "&a9;">]>'
)


@pytest.mark.parametrize(
    "prologue",
    [
        '<!DOCTYPE x [<!ENTITY xxe SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x.dtd"> %p;]>',
        "<!doctype x>",
        BOMB,
    ],
)
def test_document_types_are_refused(idp, expected, prologue):
    text = etree.tostring(idp.sign(idp.response())).decode()
    with pytest.raises(SamlRefused) as caught:
        parse((prologue + text.replace("alice", "&xxe;")).encode())
    assert caught.value.reason == "DocumentType"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ('<?xml version="1.0" encoding="UTF-16"?><x/>'.encode("utf-16"), "NotUtf8"),
        (b'<?xml version="1.0" encoding="UTF-7"?>+ADw-+ACE-DOCTYPE x+AD4APA-x/+AD4-', "NotXml"),
        (b"<x>" * 100 + b"</x>" * 100, "TooDeep"),
        (b"<x>" + b" " * MAX_BYTES + b"</x>", "TooLarge"),
        (b"", "NotXml"),
        (b"\xff\xfe", "NotUtf8"),
        (b"<x", "NotXml"),
    ],
)
def test_what_is_no_decent_xml_is_refused_at_once(data, reason):
    started = time.perf_counter()
    with pytest.raises(SamlRefused) as caught:
        parse(data)
    assert caught.value.reason == reason
    assert time.perf_counter() - started < 1


def test_another_message_is_no_response(idp):
    with pytest.raises(SamlRefused) as caught:
        request_id_of(parse(b'<x InResponseTo="_request"/>'))
    assert caught.value.reason == "NotAResponse"
