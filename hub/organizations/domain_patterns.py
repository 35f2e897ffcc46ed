"""Domains as they are delegated: ``example.com``, ``*.example.com``, and ``*`` for every name there is.

An exact domain stands for that one name. ``*.example.com`` stands for every name below example.com, however
deep, and for wildcard names there; not for example.com itself. ``*`` is the explicit catch-all of private
trust; it alone covers IP addresses. The longer a pattern, the more specific; exact beats wildcard.
"""

from __future__ import annotations

from functools import cache

from publicsuffixlist import PublicSuffixList

from hub.organizations.errors import DomainIsIpAddress, DomainIsPublicSuffix, InvalidDomain
from hub.organizations.scripts import check_scripts
from pki.errors import InvalidName
from pki.names import is_ip_address, normalize_dns_name

CATCH_ALL = "*"


def normalize_domain(text: str) -> str:
    """Return a delegated domain in the one form that is stored and compared.

    Raises:
        DomainIsIpAddress: it is an IP address.
        DomainIsPublicSuffix: it, or what its wildcard stands over, is a registry's suffix.
        DomainMixesScripts, DomainLooksLikeAnother: it is made to look like another domain.
        InvalidDomain: it is no DNS name, or not a valid internationalized one.
    """
    stripped = text.strip()
    if stripped == CATCH_ALL:
        return CATCH_ALL
    prefix, base = ("*.", stripped[2:]) if stripped.startswith("*.") else ("", stripped)
    if is_ip_address(base.strip("[]")):
        raise DomainIsIpAddress(f"{text!r} is an IP address, not a domain", field="name")
    try:
        normalized = normalize_dns_name(base, wildcard=False)
    except InvalidName as fault:
        raise InvalidDomain(str(fault), field="name") from fault
    if is_public_suffix(normalized):
        raise DomainIsPublicSuffix(
            f"{normalized} is a public suffix: it belongs to everybody and can't be delegated", field="name"
        )
    check_scripts(normalized, field="name")
    return prefix + normalized


def parent_of(pattern: str) -> str:
    """Return an exact domain without its first label; "" for a wildcard, or a domain of one label.

    A certificate for ``*.example.com`` is also valid for every name whose parent is example.com.
    """
    return "" if pattern.startswith("*") else pattern.partition(".")[2]


def covering_patterns(name: str) -> tuple[str, ...]:
    """Return every pattern that would cover a normalized DNS name or IP address, most specific first.

    A wildcard name is covered as the names it stands for are: ``*.example.com`` by ``*.example.com``, but
    not by a delegation of one name below it.
    """
    if is_ip_address(name):
        return (CATCH_ALL,)
    exact = () if name.startswith("*.") else (name,)
    labels = name.split(".")[1:]
    wildcards = ("*." + ".".join(labels[start:]) for start in range(len(labels)))
    return (*exact, *wildcards, CATCH_ALL)


def is_public_suffix(domain: str) -> bool:
    """Tell whether a registry hands out names directly below this normalized domain (ICANN section).

    Suffixes of the list's private section (hosting companies) belong to somebody, who may use them here.
    """
    return bool(_suffixes().is_public(domain))


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)
