"""Whatever somebody changes in a signed response, it says the same or is refused by a typed error."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from hub.access.signin.errors import SamlRefused
from hub.access.signin.saml.responses import read_response, request_id_of
from hub.access.signin.saml.xml import parse

_RELAXED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _same_or_refused(data, good, expected):
    try:
        assertion = read_response(parse(data), expected())
    except SamlRefused:
        return
    assert (assertion.subject, assertion.attributes) == (good.subject, good.attributes)


@_RELAXED
@given(place=st.floats(0, 0.9999), byte=st.integers(0, 255))
def test_a_byte_is_replaced(idp, expected, place, byte):
    data = bytearray(etree.tostring(idp.sign(idp.response())))
    good = read_response(parse(bytes(data)), expected())
    data[int(place * len(data))] = byte
    _same_or_refused(bytes(data), good, expected)


@_RELAXED
@given(moved=st.floats(0, 0.9999), to=st.floats(0, 0.9999))
def test_an_element_is_moved_or_copied_elsewhere(idp, expected, moved, to):
    root = idp.sign(idp.response())
    good = read_response(parse(etree.tostring(root)), expected())
    elements = list(root.iter())
    element = elements[int(moved * len(elements))]
    target = elements[int(to * len(elements))]
    target.append(etree.fromstring(etree.tostring(element)))
    _same_or_refused(etree.tostring(root), good, expected)
    if element.getparent() is not None and target not in element.iter():
        element.getparent().remove(element)
        _same_or_refused(etree.tostring(root), good, expected)


@_RELAXED
@given(data=st.binary(max_size=300))
def test_noise_is_refused(data):
    try:
        request_id_of(parse(data))
    except SamlRefused:
        return
    raise AssertionError("noise was taken for a response")
