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

_ALSO_REFUSED: tuple[Network, ...] = (
    # A cloud's machine-facing service under a public address.
    ipaddress.ip_network("168.63.129.16/32"),
    # Local-use NAT64 (RFC 8215), site-local (RFC 3879), 6to4 relays (RFC 7526).
    ipaddress.ip_network("64:ff9b:1::/48"),
    ipaddress.ip_network("fec0::/10"),
    ipaddress.ip_network("192.88.99.0/24"),
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_allowed(text: str, allowed: Sequence[Network]) -> bool:
    """Tell whether a check may connect to an address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if any(address.version == network.version and address in network for network in allowed):
        return True
    embedded = _embedded(address)
    return all(_is_public(each) for each in (address, *embedded)) if embedded else _is_public(address)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        # The mapped address itself is never global; what it maps to is judged beside it.
        return True
    named = any(address.version == network.version and address in network for network in _ALSO_REFUSED)
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved or address.is_unspecified)
        and not named
    )


def _embedded(address: Address) -> tuple[Address, ...]:
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64:
        return (ipaddress.IPv4Address(address.packed[-4:]),)
    return ()
