"""A SAML identity provider of the library pysaml2; xmlsec1 makes its signatures."""

from __future__ import annotations

import base64
import shutil
import warnings
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.serialization import Encoding

from tests.protocol.saml.identity_provider import Idp

with warnings.catch_warnings():
    # The library names a cipher that the cryptography package is about to move.
    warnings.simplefilter("ignore")
    from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
    from saml2.config import IdPConfig
    from saml2.metadata import entity_descriptor
    from saml2.saml import NAMEID_FORMAT_PERSISTENT, NAMEID_FORMAT_TRANSIENT, NameID
    from saml2.server import Server
    from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

__all__ = ["NAMEID_FORMAT_TRANSIENT", "PEOPLE", "RealIdp"]

PEOPLE = {"uid": ["bob"], "displayName": ["Bob B."], "mail": ["bob@corp.example"], "title": ["pki-admin"]}


class RealIdp:
    """pysaml2's server, configured with the hub's own metadata."""

    def __init__(self, folder):
        self.folder = folder
        idp = Idp()
        (folder / "key.pem").write_bytes(idp.key_pem)
        (folder / "cert.pem").write_bytes(idp.certificate.public_bytes(Encoding.PEM))
        self.metadata_xml = str(entity_descriptor(self._config()))

    def _config(self, sp_metadata=None):
        return IdPConfig().load(
            {
                "entityid": "https://idp.example/metadata",
                "xmlsec_binary": shutil.which("xmlsec1"),
                "key_file": str(self.folder / "key.pem"),
                "cert_file": str(self.folder / "cert.pem"),
                "service": {
                    "idp": {
                        "endpoints": {
                            "single_sign_on_service": [("https://idp.example/sso", BINDING_HTTP_REDIRECT)]
                        },
                        "policy": {
                            "default": {
                                "lifetime": {"minutes": 5},
                                "attribute_restrictions": None,
                                "name_form": "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
                            }
                        },
                    }
                },
                **({"metadata": {"inline": [sp_metadata]}} if sp_metadata else {}),
            }
        )

    def knows(self, sp_metadata):
        self.server = Server(config=self._config(sp_metadata))

    def answer(self, redirect_url, *, identity=None, subject="bob-for-good", **options):
        """What the provider's page would have the browser post."""
        query = parse_qs(urlsplit(redirect_url).query)
        request = self.server.parse_authn_request(query["SAMLRequest"][0], BINDING_HTTP_REDIRECT)
        arguments = self.server.response_args(request.message, [BINDING_HTTP_POST])
        name_format = options.pop("name_format", NAMEID_FORMAT_PERSISTENT)
        options.setdefault("sign_assertion", True)
        # The library's own choice is SHA-1.
        if not options.pop("sha1", False):
            options |= {"sign_alg": SIG_RSA_SHA256, "digest_alg": DIGEST_SHA256}
        response = self.server.create_authn_response(
            identity or PEOPLE,
            userid=subject,
            name_id=NameID(format=name_format, text=subject),
            authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"},
            **{**arguments, **options},
        )
        return base64.b64encode(str(response).encode()).decode()
