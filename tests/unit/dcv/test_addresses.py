"""Addresses that checks connect to; the hub's rule and the agent's are the same rule."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.network.domain_probes import is_allowed as agent_allows
from agents.runtime.policy import DomainControlPolicy
from hub.organizations.dcv.addresses import is_allowed

REFUSED = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "2002:7f00:1::1",
    "2002:a00:1::",
    "2001:0:a00:1::",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "not an address",
    "",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_public_is_refused(address):
    assert not is_allowed(address, ())


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address):
    assert is_allowed(address, ())


def test_an_administrator_may_allow_a_network_and_only_that():
    allowed = (ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8"))
    assert is_allowed("10.1.2.3", allowed)
    assert is_allowed("fd00::1", allowed)
    assert not is_allowed("10.2.0.1", allowed)
    assert not is_allowed("127.0.0.1", allowed)


@given(st.one_of(st.ip_addresses(), st.sampled_from(REFUSED[:-2] + PUBLIC).map(ipaddress.ip_address)))
def test_hub_and_agent_agree(address):
    policy = DomainControlPolicy(allow=("10.1.0.0/16",))
    allowed = (ipaddress.ip_network("10.1.0.0/16"),)
    assert agent_allows(address, policy) == is_allowed(str(address), allowed)
