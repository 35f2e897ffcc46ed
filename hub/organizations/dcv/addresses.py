"""Which addresses a check may connect to: public ones, and what an administrator allowed.

A domain's owner decides where its name points. Without this rule they could make the hub ask its own network
(server-side request forgery). Everything that is not globally reachable unicast is refused, also when it is
wrapped into an IPv6 address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ALSO_REFUSED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        # A cloud's machine-facing service under a public address.
        "168.63.129.16/32",
        # Local-use NAT64 (RFC 8215), site-local (RFC 3879), 6to4 (RFC 7526), Teredo (RFC 4380).
        "64:ff9b:1::/48",
        "fec0::/10",
        "192.88.99.0/24",
        "2002::/16",
        "2001::/32",
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_allowed(text: str, allowed: Sequence[Network]) -> bool:
    """Tell whether a check may connect to an address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return _within(address, allowed) or _is_public(_unwrapped(address))


def _is_public(address: Address) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not special and not _within(address, _ALSO_REFUSED)


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address
