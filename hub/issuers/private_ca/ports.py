"""What the built-in CA needs from the hub: its authorities with their keys, and a ledger of revocations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.issuers.addresses import StatusAddresses
from hub.issuers.private_ca.authority import PrivateCa


@dataclass(frozen=True, slots=True)
class OpenAuthority:
    """An authority whose key is in memory, ready to sign. ``chain`` is DER: itself first, the root last."""

    id: int
    slug: str
    ca: PrivateCa
    chain: tuple[bytes, ...]
    addresses: StatusAddresses
    trial_until: datetime | None = None
    """In trial mode until then; None: not in trial mode."""

    @property
    def signs_slowly(self) -> bool:
        """Whether a signature takes so long that it belongs in a thread: milliseconds, or an HSM's answer."""
        return self.ca.is_remote or self.ca.facts.key_type.startswith(("RSA-", "ML-DSA-"))


class AuthorityKeeper(Protocol):
    """Keeps the authorities of all private CA backends."""

    async def issuing(self, backend_id: int) -> OpenAuthority:
        """Return the authority that signs a backend's new certificates.

        Raises:
            AuthorityNotFound: the backend has none.
            AuthorityKeyUnavailable: its key can't be opened.
        """
        ...

    async def by_slug(self, slug: str) -> OpenAuthority:
        """Return the authority of this slug; raises as :meth:`issuing` does."""
        ...

    async def revoke(self, backend_id: int, serial_hex: str, *, reason: str, at: datetime) -> None:
        """Put a serial number on the CRL of its authority, in a transaction of its own.

        Raises:
            InvalidRevocation: not a serial number or reason.
        """
        ...
