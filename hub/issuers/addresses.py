"""Where an authority's status is published: the addresses that its certificates carry.

An authority with many certificates spreads its revocations among several lists. Which one a certificate is
on follows from its serial number alone, and the certificate names that list.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pki.templates import StatusUrls

MAX_SHARDS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusAddresses:
    """The addresses of one authority below ``base``; ``has_ocsp``: it answers OCSP requests.

    Lists that are several carry their own address (RFC 5280, 5.2.5), and certificates must name exactly
    that: so ``crl_base`` stays what it was when the authority was made, wherever ``base`` moves to.
    """

    base: str
    slug: str
    shards: int = 1
    crl_base: str = ""
    has_ocsp: bool = False

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the authority's lists: 0 alone, or 1 and up."""
        return (0,) if self.shards == 1 else tuple(range(1, self.shards + 1))

    def shard_of(self, serial: int) -> int:
        """Return the number of the list that a serial number is on when it is revoked."""
        return shard_of(serial, self.shards)

    def crl_url(self, shard: int) -> str:
        """Return the address of a list."""
        base = self.crl_base if self.shards > 1 else self.base
        return f"{base.rstrip('/')}/crl/{list_name(self.slug, shard)}.crl"

    @property
    def ocsp_url(self) -> str:
        """Return the address of the OCSP responder."""
        return f"{self.base.rstrip('/')}/ocsp/{self.slug}"

    @property
    def certificate_url(self) -> str:
        """Return the address of the authority's own certificate."""
        return f"{self.base.rstrip('/')}/aia/{self.slug}.cer"

    def urls(self, serial: int) -> StatusUrls:
        """Return what a certificate of this serial number carries."""
        return StatusUrls(
            crl=(self.crl_url(self.shard_of(serial)),),
            ocsp=(self.ocsp_url,) if self.has_ocsp else (),
            ca_issuers=(self.certificate_url,),
        )


def shard_of(serial: int, shards: int) -> int:
    """Return the number of the list that a serial number is on, among ``shards``."""
    if shards == 1:
        return 0
    digest = hashlib.sha256(f"{serial:x}".encode()).digest()
    return 1 + int.from_bytes(digest[:8], "big") % shards


def list_name(slug: str, shard: int) -> str:
    """Return what stands for a list in its address."""
    return slug if shard == 0 else f"{slug}.{shard}"


def read_list_name(name: str) -> tuple[str, int]:
    """Split what :func:`list_name` made into slug and number; what it never makes is a slug alone."""
    slug, separator, number = name.rpartition(".")
    # Slugs have no dots.
    if separator and number.isascii() and number.isdigit() and len(number) <= 4:
        return slug, int(number)
    return name, 0
