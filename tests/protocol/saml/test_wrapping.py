"""Signature wrapping: the eight ways of "On Breaking SAML" (Somorovsky et al., 2012), and a few more.

In each the provider's signature is whole and fits what it signed; only the place of things is changed, so
that a careless reader takes the forged assertion beside it.
"""

from __future__ import annotations

import copy

import pytest
from lxml import etree

from hub.access.signin.errors import SamlRefused
from hub.access.signin.saml import responses as module
from hub.access.signin.saml.responses import read_response
from hub.access.signin.saml.xml import parse
from tests.protocol.saml.identity_provider import NS

ASSERTION, SIGNATURE = "saml:Assertion", "ds:Signature"


def _forged(assertion, identifier="_forged"):
    """The same assertion about somebody else, without its signature."""
    evil = copy.deepcopy(assertion)
    evil.set("ID", identifier)
    for signature in evil.findall(SIGNATURE, NS):
        evil.remove(signature)
    evil.find(".//saml:NameID", NS).text = "mallory"
    return evil


def _parts(root):
    assertion = root.find(ASSERTION, NS)
    return assertion, assertion.find(SIGNATURE, NS)


def _object(signature):
    return etree.SubElement(signature, f"{{{NS['ds']}}}Object")


def xsw1(idp):
    """A forged response around the signed one, which sits in the signature."""
    signed = idp.sign(idp.response(), what="response")
    evil = copy.deepcopy(signed)
    evil.set("ID", "_forged")
    evil.find(".//saml:NameID", NS).text = "mallory"
    signature = evil.find(SIGNATURE, NS)
    original = copy.deepcopy(signed)
    original.remove(original.find(SIGNATURE, NS))
    signature.append(original)
    return evil, "response"


def xsw2(idp):
    """A forged response with a detached signature, and the signed response beside it."""
    signed = idp.sign(idp.response(), what="response")
    evil = copy.deepcopy(signed)
    evil.set("ID", "_forged")
    evil.find(".//saml:NameID", NS).text = "mallory"
    original = copy.deepcopy(signed)
    original.remove(original.find(SIGNATURE, NS))
    evil.insert(1, original)
    return evil, "response"


def xsw3(idp):
    """A forged assertion before the signed one."""
    root = idp.sign(idp.response())
    assertion, _ = _parts(root)
    assertion.addprevious(_forged(assertion))
    return root, "assertion"


def xsw4(idp):
    """A forged assertion around the signed one."""
    root = idp.sign(idp.response())
    assertion, _ = _parts(root)
    evil = _forged(assertion)
    root.replace(assertion, evil)
    evil.append(assertion)
    return root, "assertion"


def xsw5(idp):
    """The forged assertion carries the signature; what it signed stands at the end."""
    root = idp.sign(idp.response())
    assertion, signature = _parts(root)
    evil = _forged(assertion)
    assertion.remove(signature)
    evil.insert(1, signature)
    assertion.addprevious(evil)
    return root, "assertion"


def xsw6(idp):
    """As 5, with what was signed inside the signature."""
    root, _ = xsw5(idp)
    evil, assertion = root.findall(ASSERTION, NS)
    evil.find(SIGNATURE, NS).append(assertion)
    return root, "assertion"


def xsw7(idp):
    """A forged assertion in an Extensions element, whose content is not checked."""
    root = idp.sign(idp.response())
    assertion, _ = _parts(root)
    extensions = etree.Element(f"{{{NS['samlp']}}}Extensions")
    extensions.append(_forged(assertion))
    root.insert(1, extensions)
    return root, "assertion"


def xsw8(idp):
    """The forged assertion carries the signature; what it signed sits in the signature's Object."""
    root = idp.sign(idp.response())
    assertion, signature = _parts(root)
    evil = _forged(assertion)
    root.replace(assertion, evil)
    assertion.remove(signature)
    evil.insert(1, signature)
    _object(signature).append(assertion)
    return root, "assertion"


def same_id(idp):
    """Two assertions with the same ID: which one does the reference mean?"""
    root = idp.sign(idp.response())
    assertion, _ = _parts(root)
    assertion.addprevious(_forged(assertion, assertion.get("ID")))
    return root, "assertion"


def stolen_id(idp):
    """The forged assertion takes the ID over, and the signature with it."""
    root = idp.sign(idp.response())
    assertion, signature = _parts(root)
    evil = _forged(assertion, assertion.get("ID"))
    evil.insert(1, copy.deepcopy(signature))
    root.replace(assertion, evil)
    return root, "assertion"


def empty_reference(idp):
    """A signature whose reference is empty means the whole document, whatever that is by then."""
    root = idp.sign(idp.response())
    root.find(".//ds:Reference", NS).set("URI", "")
    return root, "assertion"


def signature_moved(idp):
    """The assertion's signature is put on the response."""
    root = idp.sign(idp.response())
    _, signature = _parts(root)
    root.insert(1, signature)
    return root, "response"


def signature_elsewhere(idp):
    """A second signature where none belongs."""
    root = idp.sign(idp.response())
    _, signature = _parts(root)
    root.find(".//saml:Subject", NS).append(copy.deepcopy(signature))
    return root, "assertion"


def xpath_transform(idp):
    """A transform that cuts out what is not to be signed."""
    root = idp.sign(idp.response())
    transforms = root.find(".//ds:Transforms", NS)
    etree.SubElement(
        transforms,
        f"{{{NS['ds']}}}Transform",
        {"Algorithm": "http://www.w3.org/TR/1999/REC-xpath-19991116"},
    )
    return root, "assertion"


def foreign_namespace(idp):
    """A forged element of another namespace with the name of an assertion."""
    root = idp.sign(idp.response())
    assertion, signature = _parts(root)
    fake = etree.Element("{urn:evil}Assertion", {"ID": assertion.get("ID")})
    fake.append(signature)
    root.replace(assertion, fake)
    return root, "assertion"


ATTACKS = [
    xsw1,
    xsw2,
    xsw3,
    xsw4,
    xsw5,
    xsw6,
    xsw7,
    xsw8,
    same_id,
    stolen_id,
    empty_reference,
    signature_moved,
    signature_elsewhere,
    xpath_transform,
    foreign_namespace,
]


@pytest.mark.parametrize("wanted", ["as configured", "either"])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_wrapped_signatures_are_refused(idp, expected, attack, wanted):
    root, what = attack(idp)
    signed = what if wanted == "as configured" else "either"
    with pytest.raises(SamlRefused) as caught:
        read_response(parse(etree.tostring(root)), expected(signed=signed))
    assert caught.value.reason in {
        "AssertionCount",
        "NotSigned",
        "RepeatedId",
        "ResponseCount",
        "SignatureInvalid",
        "SignatureMisplaced",
        "TransformNotAllowed",
        "WrongElementSigned",
    }


def test_even_without_counting_only_what_was_signed_is_read(idp, expected, monkeypatch):
    """The second line of defence: with the structural checks gone, nobody reads the forged assertion."""
    original = module.everywhere

    def blind(root, namespace, local):
        found = list(original(root, namespace, local))
        return iter(found[:1] if local in {"Assertion", "Response"} else found)

    monkeypatch.setattr(module, "everywhere", blind)
    for attack in (xsw1, xsw2, xsw4, xsw6, xsw8):
        root, what = attack(idp)
        try:
            assertion = read_response(parse(etree.tostring(root)), expected(signed=what))
        except SamlRefused:
            continue
        assert assertion.subject == "alice", attack.__name__
