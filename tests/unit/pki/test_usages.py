"""Usages have one name each, however they were spelled."""

import pytest

from pki.errors import InvalidTemplate
from pki.usages import (
    read_extended_key_usage,
    read_key_usage,
    rfc_usage_name,
    write_extended_key_usage,
    write_key_usage,
)


def test_key_usages_round_trip_in_the_order_of_the_bits():
    assert read_key_usage(write_key_usage(["cRLSign", "digitalSignature", "keyCertSign"])) == (
        "digitalSignature",
        "keyCertSign",
        "cRLSign",
    )
    assert read_key_usage(write_key_usage(["keyAgreement", "decipherOnly"])) == (
        "keyAgreement",
        "decipherOnly",
    )
    with pytest.raises(InvalidTemplate):
        write_key_usage(["digital_signature"])


def test_extended_usages_round_trip_in_their_order():
    names = ("clientAuth", "1.2.3.4", "serverAuth")
    assert read_extended_key_usage(write_extended_key_usage(names)) == names
    with pytest.raises(InvalidTemplate):
        write_extended_key_usage(["nonsense"])


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("digital_signature", "digitalSignature"),
        ("key_encipherment", "keyEncipherment"),
        ("key_cert_sign", "keyCertSign"),
        ("crl_sign", "cRLSign"),
        ("server_auth", "serverAuth"),
        ("client_auth", "clientAuth"),
        ("email_protection", "emailProtection"),
        ("ocsp_signing", "OCSPSigning"),
        ("serverAuth", "serverAuth"),
        ("1.2.3.4", "1.2.3.4"),
    ],
)
def test_snake_case_is_understood(written, name):
    assert rfc_usage_name(written) == name
