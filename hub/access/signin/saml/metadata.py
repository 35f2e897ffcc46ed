"""Reading an identity provider's metadata (saml-metadata 2.4.3): who it is, its address, its keys.

The file is what an MRAO uploads, so its own signature is not asked for.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography import x509

from hub.access.signin.errors import MetadataRefused, SamlRefused
from hub.access.signin.saml.xml import DS, MD, Element, children, everywhere, parse, text_of

REDIRECT_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderMetadata:
    """What the hub has to know of an identity provider. ``certificates`` are DER in base64."""

    entity_id: str
    sso_url: str
    certificates: tuple[str, ...]


def read_metadata(data: bytes) -> ProviderMetadata:
    """Return what the metadata says.

    Raises:
        MetadataRefused: the message says what is missing or wrong.
    """
    try:
        root = parse(data)
        descriptors = list(everywhere(root, MD, "IDPSSODescriptor"))
        if len(descriptors) != 1:
            raise MetadataRefused(
                f"the metadata describes {len(descriptors)} identity providers, not one", field="metadata_xml"
            )
        return _read(descriptors[0])
    except SamlRefused as error:
        raise MetadataRefused(error.message, field="metadata_xml") from None


def _read(descriptor: Element) -> ProviderMetadata:
    entity = descriptor.getparent()
    entity_id = "" if entity is None else entity.get("entityID") or ""
    if not entity_id:
        raise MetadataRefused("the metadata has no entityID", field="metadata_xml")
    if descriptor.get("WantAuthnRequestsSigned") in {"true", "1"}:
        raise MetadataRefused(
            "the identity provider wants signed requests, which are not supported; turn that off there",
            field="metadata_xml",
        )
    certificates = tuple(_certificates(descriptor))
    if not certificates:
        raise MetadataRefused("the metadata has no signing certificate", field="metadata_xml")
    return ProviderMetadata(
        entity_id=entity_id, sso_url=_sso_url(descriptor), certificates=tuple(dict.fromkeys(certificates))
    )


def _sso_url(descriptor: Element) -> str:
    for service in children(descriptor, MD, "SingleSignOnService"):
        if service.get("Binding") == REDIRECT_BINDING:
            location = service.get("Location") or ""
            parts = urlsplit(location)
            if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
                return location
            raise MetadataRefused("the sign-on address is not https", field="metadata_xml")
    raise MetadataRefused("the metadata has no sign-on service with HTTP-Redirect", field="metadata_xml")


def _certificates(descriptor: Element) -> list[str]:
    found = []
    for key in children(descriptor, MD, "KeyDescriptor"):
        if key.get("use") in {None, "signing"}:
            for element in everywhere(key, DS, "X509Certificate"):
                text = "".join(text_of(element).split())
                load_certificate(text)
                found.append(text)
    return found


def load_certificate(text: str) -> x509.Certificate:
    """Return a certificate from DER in base64; raises ``MetadataRefused``."""
    try:
        return x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        raise MetadataRefused("the metadata holds a damaged certificate", field="metadata_xml") from None
