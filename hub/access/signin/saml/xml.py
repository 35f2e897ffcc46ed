"""Reading XML of strangers: bounded, without document types, entities, comments or processing instructions.

A document type is what entity bombs and external entities need, so none is taken. The bytes are UTF-8
whatever they declare, or a document type could hide in another encoding. Comments are dropped while parsing:
text that a comment cuts in two is read whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from lxml import etree
from lxml.etree import _Element

from hub.access.signin.errors import SamlRefused

MAX_BYTES = 256 * 1024
MAX_DEPTH = 64

SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"

Element: TypeAlias = _Element

_DECLARED = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


def parse(data: bytes) -> Element:
    """Return the root element.

    Raises:
        SamlRefused: too large or too deep, not UTF-8, not XML, or with a document type.
    """
    if len(data) > MAX_BYTES:
        raise SamlRefused("TooLarge", f"the message is larger than {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SamlRefused("NotUtf8", "the message is not UTF-8") from None
    if _DECLARED.search(text):
        raise SamlRefused("DocumentType", "the message declares a document type or entities")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise SamlRefused("NotXml", f"the message is no XML: {error.msg}") from None
    if root.getroottree().docinfo.doctype:
        raise SamlRefused("DocumentType", "the message declares a document type or entities")
    _check_depth(root)
    return root


def _check_depth(root: Element) -> None:
    depth = 0
    for event, _element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise SamlRefused("TooDeep", "the message is nested too deeply")


def name(namespace: str, local: str) -> str:
    """Return a name as lxml writes it."""
    return f"{{{namespace}}}{local}"


def children(parent: Element, namespace: str, local: str) -> list[Element]:
    """Return the children of ``parent`` of this name; not what is deeper."""
    return list(parent.findall(name(namespace, local)))


def child(parent: Element, namespace: str, local: str) -> Element | None:
    """Return the only child of this name, or None.

    Raises:
        SamlRefused: there are several.
    """
    found = children(parent, namespace, local)
    if len(found) > 1:
        raise SamlRefused("Repeated", f"the message holds several {local} elements in one place")
    return found[0] if found else None


def everywhere(root: Element, namespace: str, local: str) -> Iterator[Element]:
    """Return all elements of this name, the root included."""
    yield from root.iter(name(namespace, local))


def text_of(element: Element | None) -> str:
    """Return the text of an element that holds nothing else.

    Raises:
        SamlRefused: it has elements inside.
    """
    if element is None:
        return ""
    if len(element):
        raise SamlRefused("UnexpectedElement", f"{etree.QName(element).localname} holds more than text")
    return (element.text or "").strip()
