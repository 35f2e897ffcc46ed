"""What the hub sends: authentication requests over HTTP-Redirect, and metadata as a service provider."""

from __future__ import annotations

import base64
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from lxml import etree

from hub.access.signin.saml.xml import MD, SAML, SAMLP, name

POST_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_MAP = {"samlp": SAMLP, "saml": SAML}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProvider:
    """The hub, as one identity provider knows it."""

    entity_id: str
    acs_url: str


def new_request_id() -> str:
    """Return an id that nobody guesses; XML wants it to begin with a letter or underscore."""
    return f"_{secrets.token_hex(20)}"


def redirect_url(
    sso_url: str, provider: ServiceProvider, *, request_id: str, now: datetime, name_id_format: str = ""
) -> str:
    """Return where to send the browser (saml-bindings 3.4)."""
    request = etree.Element(
        name(SAMLP, "AuthnRequest"),
        {
            "ID": request_id,
            "Version": "2.0",
            "IssueInstant": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Destination": sso_url,
            "AssertionConsumerServiceURL": provider.acs_url,
            "ProtocolBinding": POST_BINDING,
        },
        nsmap=_MAP,
    )
    etree.SubElement(request, name(SAML, "Issuer")).text = provider.entity_id
    policy = etree.SubElement(request, name(SAMLP, "NameIDPolicy"), {"AllowCreate": "true"})
    if name_id_format:
        policy.set("Format", name_id_format)
    compressor = zlib.compressobj(wbits=-15)
    deflated = compressor.compress(etree.tostring(request)) + compressor.flush()
    query = urlencode({"SAMLRequest": base64.b64encode(deflated).decode()})
    return f"{sso_url}{'&' if urlsplit(sso_url).query else '?'}{query}"


def service_metadata(provider: ServiceProvider) -> bytes:
    """Return the hub's metadata, for the identity provider's administrator."""
    root = etree.Element(
        name(MD, "EntityDescriptor"), {"entityID": provider.entity_id}, nsmap={"md": MD, "samlp": SAMLP}
    )
    descriptor = etree.SubElement(
        root,
        name(MD, "SPSSODescriptor"),
        {
            "protocolSupportEnumeration": SAMLP,
            "AuthnRequestsSigned": "false",
            "WantAssertionsSigned": "true",
        },
    )
    etree.SubElement(
        descriptor,
        name(MD, "AssertionConsumerService"),
        {"Binding": POST_BINDING, "Location": provider.acs_url, "index": "0", "isDefault": "true"},
    )
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
