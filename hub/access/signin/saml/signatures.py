"""Whether an element was signed by the identity provider, and what exactly was signed (XML Signature).

The element that comes back is parsed anew from the bytes whose digest was signed. Nothing else of the message
is looked at afterwards: moving a signed element and putting another in its place ("signature wrapping") then
changes nothing. Only what SAML allows in a signature is taken (saml-core 5.4): one reference, to the parent
by its ID, with the enveloped-signature and exclusive canonicalization transforms.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidInput, SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from hub.access.signin.errors import SamlRefused
from hub.access.signin.saml.xml import DS, Element, child, children, name

_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_TRANSFORMS = frozenset(
    {
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    }
)


def signed_element(root: Element, location: str, certificates: Sequence[x509.Certificate]) -> Element:
    """Return what the signature at ``location`` covers; it has to be the signature's own parent.

    ``location`` is ``./`` for the root, or the path of a child ending in a slash.

    Raises:
        SamlRefused: the signature is of nobody known, or does not fit, or covers something else.
    """
    parent = root if location == "./" else root.find(location.rstrip("/"))
    if parent is None:
        raise SamlRefused("NotSigned", "the message is not signed as configured")
    identifier = parent.get("ID") or ""
    _check_shape(parent, identifier)
    data = etree.tostring(root)
    for certificate in certificates:
        result = _verified(data, location, certificate)
        if result is None:
            continue
        signed = result.signed_xml
        if signed is None or signed.tag != parent.tag or signed.get("ID") != identifier:
            raise SamlRefused("WrongElementSigned", "the signature covers another element")
        return signed
    raise SamlRefused("SignatureInvalid", "the signature is not one of the identity provider's")


def _verified(data: bytes, location: str, certificate: x509.Certificate) -> VerifyResult | None:
    configuration = SignatureConfiguration(
        location=location,
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        # In SAML metadata a certificate is a container of a key; its own dates mean nothing there.
        verification_time=certificate.not_valid_before_utc,
        ignore_ambiguous_key_info=True,
    )
    try:
        result = XMLVerifier().verify(
            data, x509_cert=certificate, expect_config=configuration, id_attribute="ID"
        )
    except InvalidInput as error:
        if "forbidden by configuration" in str(error):
            raise SamlRefused(
                "WeakAlgorithm", f"the signature uses an algorithm not taken: {error}"
            ) from None
        return None
    except (SignXMLException, etree.LxmlError, ValueError, TypeError, AttributeError):
        return None
    return result if isinstance(result, VerifyResult) else None


def _check_shape(parent: Element, identifier: str) -> None:
    signature = child(parent, DS, "Signature")
    if signature is None:
        raise SamlRefused("NotSigned", "the message is not signed as configured")
    if not identifier:
        raise SamlRefused("NoId", "a signed element has no ID")
    info = child(signature, DS, "SignedInfo")
    references = [] if info is None else children(info, DS, "Reference")
    if len(references) != 1 or references[0].get("URI") != f"#{identifier}":
        raise SamlRefused("WrongElementSigned", "the signature covers another element")
    used = {item.get("Algorithm") for item in references[0].iter(name(DS, "Transform"))}
    if not used <= _TRANSFORMS:
        raise SamlRefused("TransformNotAllowed", "the signature uses a transform that SAML doesn't allow")
    if next(signature.iter(name(DS, "Object")), None) is not None:
        raise SamlRefused("SignatureObject", "the signature holds an Object element")
