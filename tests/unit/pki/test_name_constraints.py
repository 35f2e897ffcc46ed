"""Which names a limited CA may certify, held against what the RFC says."""

import pytest

from pki.name_constraints import name_outside
from pki.templates import NameConstraints


@pytest.mark.parametrize(
    ("permitted", "excluded", "name", "allowed"),
    [
        ((), (), "www.example.com", True),
        (("example.com",), (), "example.com", True),
        (("example.com",), (), "WWW.Example.com", True),
        (("example.com",), (), "*.example.com", True),
        (("example.com",), (), "badexample.com", False),
        (("example.com",), (), "com", False),
        (("a.example", "b.example"), (), "x.b.example", True),
        (("example.com",), ("secret.example.com",), "x.secret.example.com", False),
        ((), ("secret.example.com",), "example.com", True),
        ((), ("",), "anything.example", False),
    ],
)
def test_dns_names(permitted, excluded, name, allowed):
    constraints = NameConstraints(permitted_dns=permitted, excluded_dns=excluded)
    assert (name_outside(constraints, dns_names=[name], ip_addresses=[]) is None) is allowed


@pytest.mark.parametrize(
    ("permitted", "excluded", "address", "allowed"),
    [
        (("10.0.0.0/8",), (), "10.1.2.3", True),
        (("10.0.0.0/8",), (), "192.0.2.1", False),
        (("10.0.0.0/8",), (), "2001:db8::1", False),
        (("10.0.0.0/8",), ("10.9.0.0/16",), "10.9.0.1", False),
        ((), ("2001:db8::/32",), "2001:db8::1", False),
        ((), ("2001:db8::/32",), "192.0.2.1", True),
    ],
)
def test_addresses(permitted, excluded, address, allowed):
    constraints = NameConstraints(permitted_networks=permitted, excluded_networks=excluded)
    assert (name_outside(constraints, dns_names=[], ip_addresses=[address]) is None) is allowed
