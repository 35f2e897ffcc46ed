"""An identity provider, and what the hub expects of its responses."""

from __future__ import annotations

import pytest

from hub.access.signin.saml.responses import Expected
from tests.protocol.saml.identity_provider import ACS, IDP, NOW, REQUEST, SP, Idp


@pytest.fixture(scope="session")
def idp():
    return Idp()


@pytest.fixture
def expected(idp):
    def make(**values):
        defaults = {
            "issuer": IDP,
            "certificates": [idp.certificate],
            "audience": SP,
            "recipient": ACS,
            "request_id": REQUEST,
            "now": NOW,
            "signed": "assertion",
        }
        return Expected(**{**defaults, **values})

    return make
