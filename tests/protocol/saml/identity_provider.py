"""An identity provider's key, a well-formed response, and ways to sign and to break it."""

from __future__ import annotations

import copy
import uuid
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import XMLSigner, methods

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
IDP = "https://idp.example/metadata"
SP = "https://hub.example/api/v1/session/saml/corp/metadata"
ACS = "https://hub.example/api/v1/session/saml/corp/acs"
REQUEST = "_request"
NS = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
RESPONSE = """<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{response_id}" Version="2.0"
 IssueInstant="{issued}" Destination="{destination}" InResponseTo="{request}">
<saml:Issuer>{issuer}</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="{status}"/></samlp:Status>
<saml:Assertion ID="{assertion_id}" Version="2.0" IssueInstant="{issued}">
<saml:Issuer>{issuer}</saml:Issuer>
<saml:Subject>
<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{name_id}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<saml:SubjectConfirmationData Recipient="{recipient}" InResponseTo="{confirmed_request}"
 NotOnOrAfter="{until}"/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{since}" NotOnOrAfter="{until}">
<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>
</saml:Conditions>
<saml:AuthnStatement AuthnInstant="{issued}"><saml:AuthnContext>
<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>
</saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement><saml:Attribute Name="groups">
<saml:AttributeValue>pki</saml:AttributeValue><saml:AttributeValue>staff</saml:AttributeValue>
</saml:Attribute></saml:AttributeStatement>
</saml:Assertion></samlp:Response>"""


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Idp:
    """A key with its certificate, and what it signs."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(NOW - timedelta(days=700))
            # Expired: in SAML metadata a certificate is only the container of a key.
            .not_valid_after(NOW - timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )

    @property
    def key_pem(self):
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def response(self, *, now=NOW, **values):
        defaults = {
            "response_id": f"_{uuid.uuid4().hex}",
            "assertion_id": f"_{uuid.uuid4().hex}",
            "issued": stamp(now),
            "since": stamp(now - timedelta(minutes=1)),
            "until": stamp(now + timedelta(minutes=5)),
            "destination": ACS,
            "recipient": ACS,
            "audience": SP,
            "issuer": IDP,
            "request": REQUEST,
            "name_id": "alice",
            "status": "urn:oasis:names:tc:SAML:2.0:status:Success",
        }
        defaults.update(values)
        defaults.setdefault("confirmed_request", defaults["request"])
        return etree.fromstring(RESPONSE.format(**defaults))

    def signature_of(self, element, **options):
        signer = XMLSigner(
            method=methods.enveloped,
            signature_algorithm=options.get("algorithm", "rsa-sha256"),
            digest_algorithm=options.get("digest", "sha256"),
            c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#",
        )
        signed = signer.sign(
            copy.deepcopy(element),
            key=options.get("key", self.key),
            cert=[self.certificate],
            reference_uri=element.get("ID"),
            id_attribute="ID",
        )
        return signed.find("ds:Signature", NS)

    def sign(self, root, *, what="assertion", **options):
        """Put a signature behind the issuer of the assertion or the response."""
        element = root if what == "response" else root.find("saml:Assertion", NS)
        signature = self.signature_of(element, **options)
        element.insert(1, signature)
        return root
