"""Name constraints of a CA (RFC 5280, 4.2.1.10): read from its certificate, and applied before it signs.

Relying parties enforce them; a CA that looks first says so to whoever ordered, instead of to every client.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from cryptography import x509

from pki.errors import LIBRARY_FAULTS, MalformedCertificate
from pki.templates import NameConstraints


def read_name_constraints(certificate: x509.Certificate) -> NameConstraints | None:
    """Return the DNS names and networks that a CA is limited to; None: there are no limits.

    Raises:
        MalformedCertificate: its extensions can't be read.
    """
    try:
        value = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return None
    except LIBRARY_FAULTS as fault:
        raise MalformedCertificate(f"the name constraints can not be read: {fault}") from fault
    permitted, excluded = value.permitted_subtrees or [], value.excluded_subtrees or []
    return NameConstraints(
        permitted_dns=_of(permitted, x509.DNSName),
        excluded_dns=_of(excluded, x509.DNSName),
        permitted_networks=_of(permitted, x509.IPAddress),
        excluded_networks=_of(excluded, x509.IPAddress),
    )


def _of(names: Iterable[x509.GeneralName], kind: type[x509.GeneralName]) -> tuple[str, ...]:
    return tuple(str(name.value) for name in names if isinstance(name, kind))


def name_outside(
    constraints: NameConstraints, *, dns_names: Iterable[str], ip_addresses: Iterable[str]
) -> str | None:
    """Return the first normalized name that the constraints don't allow; None: all are allowed."""
    for name in dns_names:
        # A wildcard stands for names below its domain.
        plain = name.removeprefix("*.")
        if _under(plain, constraints.excluded_dns):
            return name
        if constraints.permitted_dns and not _under(plain, constraints.permitted_dns):
            return name
    for text in ip_addresses:
        address = ipaddress.ip_address(text)
        if _within(address, constraints.excluded_networks):
            return text
        if constraints.permitted_networks and not _within(address, constraints.permitted_networks):
            return text
    return None


def _under(name: str, domains: Iterable[str]) -> bool:
    labels = name.lower().split(".")
    for domain in domains:
        suffix = domain.lower().lstrip(".").split(".") if domain else []
        if labels[len(labels) - len(suffix) :] == suffix and len(labels) >= len(suffix):
            return True
    return False


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Iterable[str]) -> bool:
    return any(address in ipaddress.ip_network(network) for network in networks)
